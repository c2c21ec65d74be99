"""TLS contexts, the certificate of a peer, and how long our own still lasts.

TLS 1.2 is the oldest version spoken, as IHE ITI TF-2, ITI-19 (Authenticate Node) asks for.
"""

import secrets
import ssl
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from insigne.net.settings import ClientTlsSettings, TlsSettings

T = TypeVar("T")
_log = structlog.get_logger("insigne.tls")
_CLIENT_FILES = ("ca_file", "cert_file", "key_file", "key_password_file", "crl_file")
_PKCS12_SUFFIXES = frozenset({".p12", ".pfx"})


class TlsError(Exception):
    """TLS files that cannot be used. The text names the file, what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """The certificate a peer showed.

    fingerprint: SHA-256 of its DER form, lower-case hexadecimal, 64 characters.
    name: its common name, or its first subject alternative name when it has none.
    """

    fingerprint: str
    name: str


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """Make the context of a listener. Client certificates are required as soon as their authority is configured.

    Raises TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, settings.cert_file, settings.key_file, settings.key_password_file)
    if settings.client_ca_file:
        _load_authorities(context, settings.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    elif settings.crl_file:
        raise TlsError("crl_file is given without client_ca_file: name the authority whose clients it revokes")
    if settings.crl_file:
        _load_revocations(context, settings.crl_file)
    return context


def client_context(settings: ClientTlsSettings) -> ssl.SSLContext:
    """Make the context of a client: the server's certificate and name are always verified. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file:
        _load_authorities(context, settings.ca_file)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if settings.cert_file:
        _load_own(context, settings.cert_file, settings.key_file, settings.key_password_file)
    elif settings.key_file:
        raise TlsError(f"key_file {settings.key_file} is given without cert_file: name the certificate of that key")
    if settings.crl_file:
        _load_revocations(context, settings.crl_file)
    return context


class Renewed(Generic[T]):
    """What is made of files, asked for before each use: made anew once one of them changed.

    Files that cannot be used any more are said once, and what they held before stays in use. Several threads may ask.
    Raises what making it raises, when made the first time.
    """

    def __init__(self, make: Callable[[], T], files: Iterable[str]) -> None:
        """`make` raises TlsError for files that cannot be used; names that are "" are of no file."""
        self._make = make
        self._files = [Path(name) for name in files if name]
        self._stamps = self._stamped()
        self._made = make()

    def __call__(self) -> T:
        """What the files hold now."""
        stamps = self._stamped()
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._made = self._make()
            except TlsError as error:
                _log.warning("tls.files-not-read-again", reason=str(error))
        return self._made

    def _stamped(self) -> list[tuple[int, ...]]:
        """What tells each file from what it was, () for one that is not there."""
        return [_stamp(path) for path in self._files]


class RenewedContext(Renewed[ssl.SSLContext]):
    """The context of a client, asked for before each connection.

    So a new revocation list, or a certificate renewed, counts from the next connection on. Raises TlsError when made.
    """

    def __init__(
        self, settings: ClientTlsSettings, make: Callable[[ClientTlsSettings], ssl.SSLContext] = client_context
    ) -> None:
        super().__init__(lambda: make(settings), (getattr(settings, key) for key in _CLIENT_FILES))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def peer_certificate(connection: ssl.SSLObject | ssl.SSLSocket | None) -> PeerCertificate | None:
    """Return the verified certificate of the other side, None in clear or when it showed none."""
    der = connection.getpeercert(binary_form=True) if connection is not None else None
    return describe(x509.load_der_x509_certificate(der)) if der else None


def describe(certificate: x509.Certificate) -> PeerCertificate:
    """Return what identifies a certificate."""
    names = [str(a.value) for a in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return PeerCertificate(
        certificate.fingerprint(hashes.SHA256()).hex(), next(iter(names or _alternatives(certificate)), "")
    )


def normalise_fingerprint(text: str) -> str:
    """Write a SHA-256 fingerprint as `PeerCertificate` does, from any usual form (`AB:CD:…`, spaces, capitals).

    Raises ValueError when it is not 32 bytes in hexadecimal.
    """
    digest = bytes.fromhex(text.replace(":", " "))
    if len(digest) != hashes.SHA256.digest_size:
        raise ValueError(f"a SHA-256 fingerprint has 32 bytes in hexadecimal, this one has {len(digest)}")
    return digest.hex()


def load_key(
    cert_file: str, key_file: str = "", key_password_file: str = ""
) -> tuple[PrivateKeyTypes, tuple[x509.Certificate, ...]]:
    """Return a private key with its certificate, intermediates after it: PEM files, or one PKCS#12 file.

    For what is signed; a TLS context loads its own. Raises TlsError.
    """
    path = Path(cert_file)
    if path.suffix.lower() in _PKCS12_SUFFIXES:
        certificate, key, chain = _load_pkcs12(path, key_password_file)
        return key, (certificate, *chain)
    password = _read_password(key_password_file)
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
        found = load_pem_private_key(Path(key_file or cert_file).read_bytes(), password or None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(f"{cert_file} {key_file}".rstrip(), "certificate with its key", error) from error
    if _public(found.public_key()) != _public(certificates[0].public_key()):
        raise TlsError(f"{key_file or cert_file}: this key is not that of the certificate {cert_file}")
    return found, tuple(certificates)


def expiry(cert_file: str, key_password_file: str = "") -> datetime:
    """Return the end of validity (UTC, aware) of the first certificate of one of our files. Raises TlsError."""
    path = Path(cert_file)
    if path.suffix.lower() in _PKCS12_SUFFIXES:
        return _load_pkcs12(path, key_password_file)[0].not_valid_after_utc
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise _unusable(cert_file, "certificate", error) from error


def days_left(cert_file: str, now: datetime, key_password_file: str = "") -> int:
    """Return the whole days before our certificate expires, negative once it has. Raises TlsError."""
    return (expiry(cert_file, key_password_file) - now).days


def _alternatives(certificate: x509.Certificate) -> Sequence[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return [str(name.value) for name in extension.value]


def _load_own(context: ssl.SSLContext, cert_file: str, key_file: str, key_password_file: str) -> None:
    path = Path(cert_file)
    if path.suffix.lower() in _PKCS12_SUFFIXES:
        certificate, key, chain = _load_pkcs12(path, key_password_file)
        _load_from_memory(context, certificate, key, chain)
        return
    # A password is always given, so that OpenSSL never asks for one on the terminal.
    password = _read_password(key_password_file)
    try:
        context.load_cert_chain(cert_file, key_file or None, password)
    except (OSError, ValueError) as error:
        raise _unusable(f"{cert_file} {key_file}".rstrip(), "certificate with its key", error) from error


def _load_authorities(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ValueError) as error:
        raise _unusable(ca_file, "list of authorities", error) from error


def _load_revocations(context: ssl.SSLContext, crl_file: str) -> None:
    try:
        x509.load_pem_x509_crl(Path(crl_file).read_bytes())
        context.load_verify_locations(crl_file)
    except (OSError, ValueError) as error:
        raise _unusable(crl_file, "revocation list", error) from error
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _load_pkcs12(
    path: Path, password_file: str
) -> tuple[x509.Certificate, PrivateKeyTypes, Sequence[x509.Certificate]]:
    password = _read_password(password_file)
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), password or None)
    except (OSError, ValueError) as error:
        raise _unusable(str(path), "PKCS#12 file", error) from error
    if key is None or certificate is None:
        raise TlsError(f"{path}: a PKCS#12 file with a certificate and its key is needed, one of them is missing")
    return certificate, key, chain


def _load_from_memory(
    context: ssl.SSLContext,
    certificate: x509.Certificate,
    key: PrivateKeyTypes,
    chain: Sequence[x509.Certificate],
) -> None:
    """Give a key to a context, which only reads files: the file is encrypted, private and gone at once."""
    password = secrets.token_bytes(32).hex().encode()
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)))
        file.write(b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain)))
        file.flush()
        context.load_cert_chain(file.name, password=password)


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_password(path: str) -> bytes:
    if not path:
        return b""
    try:
        return Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise _unusable(path, "password", error) from error


def _unusable(file: str, what: str, error: Exception) -> TlsError:
    reason = (getattr(error, "strerror", None) or str(error)).strip()
    return TlsError(f"{file}: cannot be read as a {what} ({reason}); give PEM files (or PKCS#12) this user may read")
