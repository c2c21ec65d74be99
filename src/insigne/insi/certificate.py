"""Our organisation certificate: what of it goes in a call, and what makes the service refuse it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import TlsError

ACCEPTED_NAMES: Final = ("INSI-AUTO", "INSI-MANU")
"""The service refuses any other common name (desir_560)."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """`name`: common name. `emitter`: subject OU, the national identifier of the structure. Times are aware."""

    name: str
    emitter: str
    not_before: datetime
    not_after: datetime

    def doubts(self, now: datetime) -> tuple[str, ...]:
        """Return why the service will refuse it, a sentence each; nothing when it should not."""
        found = []
        if self.name not in ACCEPTED_NAMES:
            found.append(f"its common name is {self.name!r}: INSi takes {' or '.join(ACCEPTED_NAMES)} (desir_560)")
        if not self.emitter:
            found.append("its subject has no OU to fill Emetteur with: set insi.emitter")
        return (*found, *self.out_of_dates(now))

    def out_of_dates(self, now: datetime) -> tuple[str, ...]:
        """Return why it cannot be used at this time, as one sentence or none."""
        if now > self.not_after:
            return (f"it expired on {self.not_after:%Y-%m-%d}: renew it",)
        if now < self.not_before:
            return (f"it is valid from {self.not_before:%Y-%m-%d %H:%M} UTC only: is this machine's clock right?",)
        return ()


def read_own_certificate(tls: ClientTlsSettings) -> OwnCertificate | None:
    """Read the certificate named by settings, None when they name none. Raises TlsError."""
    if not tls.cert_file:
        return None
    path = Path(tls.cert_file)
    try:
        found = _certificate(path, tls.key_password_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TlsError(f"{path}: cannot be read as a certificate ({reason}); give PEM or PKCS#12") from error
    return OwnCertificate(
        _attribute(found, x509.NameOID.COMMON_NAME),
        _attribute(found, x509.NameOID.ORGANIZATIONAL_UNIT_NAME),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
    )


def _certificate(path: Path, password_file: str) -> x509.Certificate:
    data = path.read_bytes()
    if path.suffix.lower() not in (".p12", ".pfx"):
        return x509.load_pem_x509_certificate(data)
    password = Path(password_file).read_bytes().rstrip(b"\r\n") if password_file else None
    found = pkcs12.load_pkcs12(data, password).cert
    if found is None:
        raise ValueError("no certificate in it")
    return found.certificate


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    return next((str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)), "")
