"""Certificates that programs come with, as whatever ends TLS before us tells them; RFC 8705.

Nobody is believed here unless the installer says so: a header is only a text that anybody can send.
"""

import base64
import binascii
from hashlib import sha256
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.http import HttpRequest

from ceir.errors import CeirError

_LONGEST = 16_384


class CertificateRefusedError(CeirError):
    """What should be a certificate is none."""

    code = "client_certificate_refused"


def thumbprint_of(request: HttpRequest) -> str | None:
    """SHA-256 of the client's certificate, in base64url without padding; None: it came without one.

    The header is read only where the installer named it (`CEIR_CERTIFICATE_HEADER`); what ends TLS must take
    away what others put there. Its value is that of RFC 9440 (`:base64 of the DER:`), or PEM with percent
    signs, as nginx and Envoy have it.

    Raises:
        CertificateRefusedError: the header's value is no certificate.
    """
    name = settings.CEIR_CERTIFICATE_HEADER
    given = request.headers.get(name, "").strip() if name else ""
    if not given:
        return None
    return thumbprint(_der(given))


def thumbprint(der: bytes) -> str:
    """As `x5t#S256` has it: RFC 8705 clause 3.1."""
    return base64.urlsafe_b64encode(sha256(der).digest()).decode("ascii").rstrip("=")


def _der(given: str) -> bytes:
    refused = CertificateRefusedError(
        "The header with the client's certificate holds none.", "Set up what ends TLS: docs/admin/logins.md."
    )
    if len(given) > _LONGEST:
        raise refused
    try:
        if given.startswith(":") and given.endswith(":") and len(given) > 2:
            certificate = x509.load_der_x509_certificate(base64.b64decode(given[1:-1], validate=True))
        else:
            certificate = x509.load_pem_x509_certificate(unquote(given).encode("ascii"))
        return certificate.public_bytes(Encoding.DER)
    except (ValueError, binascii.Error, UnicodeEncodeError) as error:
        raise refused from error
