"""Take a renewed certificate into use without a restart. Makes none, and serves nothing itself."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509

LOOK_S: Final = 10.0
"""A certificate is renewed when half of its life is left: nobody waits for the next look."""

log = logging.getLogger(__name__)


async def keep_fresh(
    context: ssl.SSLContext,
    pem: Path,
    *,
    look_s: float = LOOK_S,
    taken: Callable[[], None] | None = None,
) -> None:
    """Have new connections served by what the file holds, until cancelled.

    Args:
        context: of the running server; connections that are open go on with what they began by.
        pem: key and certificates, replaced whole when they are renewed.
        taken: called after each change that was taken into use.
    """
    known = _mark(pem)
    while True:
        await asyncio.sleep(look_s)
        seen = _mark(pem)
        if seen is None or seen == known:
            continue
        try:
            await asyncio.to_thread(_take, context, pem)
        except (OSError, ssl.SSLError) as error:
            # The present one serves on; what is there may be half of a change by hand.
            log.warning("%s cannot be used, the certificate of before serves on: %s", pem, error)
        else:
            log.info("%s was renewed: new connections are served by it", pem)
            if taken is not None:
                taken()
        known = seen


def _take(context: ssl.SSLContext, pem: Path) -> None:
    # First into a context that nobody uses: a certificate of another key would spoil the live one.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem)
    context.load_cert_chain(pem)


def _mark(pem: Path) -> tuple[int, int] | None:
    try:
        there = pem.stat()
    except OSError:
        return None
    return there.st_mtime_ns, there.st_ino


def names_in(pem: Path) -> tuple[str, ...]:
    """The names and addresses of the first certificate in a file, in their order.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    told = [one for one in names if isinstance(one, x509.DNSName | x509.IPAddress)]
    return tuple(str(one.value) for one in told)
