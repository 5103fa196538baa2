"""Serve the certificate of the hub's authority, for a phone to trust. Never a key."""

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter
from fastapi.responses import Response

_TYPE: Final = "application/x-x509-ca-cert"
"""By which Android and iOS offer to install it."""
_HEADERS: Final = {
    "Content-Disposition": 'attachment; filename="storepulse-ca.crt"',
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def ca_route(file: Path) -> APIRouter:
    """`GET /ca.pem`: the one certificate in a file; what else were in the file stays there."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/ca.pem")
    def authority() -> Response:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        return Response(certificate.public_bytes(Encoding.PEM), media_type=_TYPE, headers=_HEADERS)

    return routes
