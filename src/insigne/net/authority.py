"""A small certificate authority for demonstrations and simulators. Not for production: its key lies in a plain file.

Every certificate says so in its subject. Files are PEM, one folder an authority:
`ca.pem`, `ca.key`, `<name>.pem`, `<name>.key`, `revoked.pem`. Times are passed in.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION = "Insigne demonstration, not for production"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SKEW = timedelta(minutes=5)
"""Certificates begin a little earlier than now: clocks differ."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The files of one certificate."""

    cert_file: Path
    key_file: Path


class DemoAuthority:
    """An authority kept in a folder; the folder and the authority are made on first use."""

    def __init__(
        self, folder: Path, now: datetime, *, name: str = "Insigne demonstration CA", days: int = 3650
    ) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.crl_file = folder / "revoked.pem"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.ca_file.exists():
            self._make_root(name, now, days)
        self._certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / 'ca.key'}: not a key made by this authority; empty the folder and start again")
        self._key = key

    def issue_server(
        self, name: str, now: datetime, *, hosts: Sequence[str] = LOOPBACK, days: int = 825, rsa_key: bool = False
    ) -> Issued:
        """Issue the certificate of a server that answers at these DNS names and addresses.

        `rsa_key`: for clients whose cipher suites of TLS 1.2 are those of RSA only.
        """
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        alternatives = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(name, now, days, [usage, alternatives], _rsa_key() if rsa_key else None)

    def issue_client(self, name: str, now: datetime, *, days: int = 825) -> Issued:
        """Issue the certificate of a client, known by its common name."""
        return self._issue(name, now, days, [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])

    def issue_signer(self, name: str, now: datetime, *, days: int = 825) -> Issued:
        """Issue the certificate of an organisation that signs messages, opening no connection: RSA, non repudiation."""
        return self._issue(name, now, days, [], _rsa_key(), commits=True)

    def revoke(self, certificates: Sequence[Issued], now: datetime, *, days: int = 30) -> Path:
        """Write the revocation list of exactly these certificates, and return its path."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._certificate.subject)
        builder = builder.last_update(now - _SKEW).next_update(now + timedelta(days=days))
        for issued in certificates:
            serial = x509.load_pem_x509_certificate(issued.cert_file.read_bytes()).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - _SKEW).build()
            builder = builder.add_revoked_certificate(revoked)
        self.crl_file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return self.crl_file

    def _make_root(self, name: str, now: datetime, days: int) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        builder = _builder(subject, subject, key, now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        _write_private(self.folder / "ca.key", _pem(key))
        self.ca_file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def _issue(
        self,
        name: str,
        now: datetime,
        days: int,
        extensions: Sequence[x509.ExtensionType],
        rsa_key: rsa.RSAPrivateKey | None = None,
        *,
        commits: bool = False,
    ) -> Issued:
        key = rsa_key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(name), self._certificate.subject, key, now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False, commits=commits), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        issued = Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        _write_private(issued.key_file, _pem(key))
        issued.cert_file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return issued


def _subject(name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    public = key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _key_usage(*, authority: bool, commits: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=commits,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
