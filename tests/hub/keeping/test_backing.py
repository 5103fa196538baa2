"""A backup is worth what its restore brings back: every row, every right, every picture."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.errors import BadArchive, BadDatabase, FolderOfAnotherMajor
from hub.keeping.backing import back_up, restore
from hub.people.sessions import find_session
from hub.store import postgres
from hub.store.database import Database, open_database
from hub.store.postgres_home import PROGRAMS_ENVIRONMENT_NAME
from tests.hub.keeping.places import contents, empty_place, fill
from tests.hub.servers import url_of
from tests.hub.staff import session_for

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PICTURE = b"\xff\xd8 a picture \xff\xd9"
DEBIANS_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for photo in ("p1", "p2"):
        folder = tmp_path / "blobs" / "17" / photo
        folder.mkdir(parents=True)
        (folder / "photo.jpg").write_bytes(PICTURE + photo.encode())
    return tmp_path / "blobs"


def test_a_restore_brings_back_every_row_right_and_picture(
    database: Database, pictures: Path, tmp_path: Path
) -> None:
    fill(database)
    _, token = session_for(database, "region", regions=["east"], name="Bo")
    before = contents(database)
    file = tmp_path / "hub.tar"
    kept = back_up(url_of(database), pictures, file, now=NOW)
    assert kept.pictures == 2
    assert oct(file.stat().st_mode)[-3:] == "600"

    with empty_place(database, "restored_hub") as url:
        back = tmp_path / "blobs-back"
        assert restore(file, url, back) == kept
        with open_database(url) as restored:
            assert contents(restored) == before
            # The rights are the database's own, and came back with it.
            session = find_session(restored, token)
            assert session is not None
            with restored.of_session(session) as connection:
                rows = connection.execute("select distinct shop from facts").fetchall()
            assert [row["shop"] for row in rows] == ["17"]
            with restored.connection() as connection:
                # And what is written next has a number of its own.
                connection.execute("insert into audit (who, what, about) values ('a', 'b', 'c')")
        assert (back / "17" / "p2" / "photo.jpg").read_bytes() == PICTURE + b"p2"
        with pytest.raises(BadDatabase, match="there is a hub"):
            restore(file, url, None)


def test_a_damaged_backup_restores_nothing(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    back_up(url_of(database), None, file, now=NOW)
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadArchive, match="changed or damaged"):
        restore(file, str(tmp_path / "new"), None)
    assert not (tmp_path / "new").exists()


def test_what_is_no_backup_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    file.write_text("junk")
    with pytest.raises(BadArchive, match=r"hub\.tar is no archive of a hub") as refused:
        restore(file, str(tmp_path / "new"), None)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(not DEBIANS_15.is_dir(), reason="no PostgreSQL 15 on this machine")
def test_a_folder_of_another_major_comes_over_by_the_command_it_is_refused_with(
    monkeypatch: pytest.MonkeyPatch, no_sync: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="storepulse-test-") as made:
        home = Path(made)
        home.chmod(0o711)
        monkeypatch.setenv(PROGRAMS_ENVIRONMENT_NAME, str(DEBIANS_15))
        with (
            postgres.attach(home / "hub", settings=no_sync),
            open_database(str(home / "hub")) as old,
        ):
            assert old.version.startswith("15.")
            fill(old)
            before = contents(old)
            back_up(url_of(old), None, home / "old.tar", now=NOW)
        monkeypatch.delenv(PROGRAMS_ENVIRONMENT_NAME)
        with pytest.raises(FolderOfAnotherMajor) as refused:
            postgres.attach(home / "hub")
        command = str(refused.value).split("`")[1]
        assert command.startswith(f"{PROGRAMS_ENVIRONMENT_NAME}={DEBIANS_15} storepulse hub backup")
        target = command.split()[-1]
        with postgres.attach(Path(target), settings=no_sync):
            restore(home / "old.tar", target, None)
            with open_database(target) as new:
                assert not new.version.startswith("15.")
                assert contents(new) == before
