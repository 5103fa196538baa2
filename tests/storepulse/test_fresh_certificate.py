"""A renewed certificate is served without a restart, and one that cannot be used is not taken."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from hub.nodes.authority import issue_server, make_authority, new_key, pem_with_key
from storepulse.fresh_certificate import keep_fresh, names_in
from storepulse.secret_files import write_whole

NOW = datetime.now(UTC)
AUTHORITY = make_authority(now=NOW)


def pem(*names: str) -> bytes:
    key = new_key()
    return pem_with_key(issue_server(AUTHORITY, key.public_key(), names, now=NOW), key)


async def served(port: int) -> list[str]:
    """The names of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cadata=AUTHORITY.certificate_pem.decode())
    context.check_hostname = False
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    shown = x509.load_der_x509_certificate(der)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


async def test_new_connections_see_the_renewed_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "server.pem"
    write_whole(file, pem("first.lan"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    taken = asyncio.Event()
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    keeping = asyncio.create_task(keep_fresh(context, file, look_s=0.01, taken=taken.set))
    async with server:
        await asyncio.sleep(0)  # the file of before has been looked at
        assert await served(port) == ["first.lan"]
        write_whole(file, b"half of a change by hand")
        async with asyncio.timeout(60):
            while "cannot be used" not in caplog.text:
                await asyncio.sleep(0.01)
        assert await served(port) == ["first.lan"]
        assert not taken.is_set()
        write_whole(file, pem("second.lan"))
        await asyncio.wait_for(taken.wait(), 60)
        assert await served(port) == ["second.lan"]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


def test_the_names_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "server.pem"
    file.write_bytes(pem("127.0.0.1", "hub.lan", "fd00::1"))
    assert names_in(file) == ("127.0.0.1", "hub.lan", "fd00::1")
