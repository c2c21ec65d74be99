"""The TLS of a scripted receiver: in order, or refused for one reason. Certificates are made in its folder."""

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from insigne.net.authority import DemoAuthority
from insigne.net.settings import TlsSettings
from insigne.net.tls import server_context

TlsKind = Literal["right", "wants-certificate", "unknown-authority", "wrong-name", "expired", "revoked"]
"""right: nothing is wrong; wants-certificate: only clients of its authority are let in; the rest is its own fault:
certified by another authority than the one told, under another name, in the past, or by a certificate that is revoked.
"""


class ReceiverTls(msgspec.Struct, frozen=True):
    """The context to listen with, and the files a client is given: authority, list of revoked ones, its certificate."""

    context: ssl.SSLContext
    ca: str
    crl: str
    cert: str
    key: str


def receiver_tls(folder: Path, kind: TlsKind, now: datetime) -> ReceiverTls:
    """Make the certificates of a receiver. `now` is aware."""
    told = DemoAuthority(folder / "tls", now)
    authority = DemoAuthority(folder / "tls-unknown", now) if kind == "unknown-authority" else told
    if kind == "expired":
        server = authority.issue_server("receiver", now - timedelta(days=30), days=10)
    elif kind == "wrong-name":
        server = authority.issue_server("receiver", now, hosts=("elsewhere.example",))
    else:
        server = authority.issue_server("receiver", now)
    client = told.issue_client("insigne", now)
    crl = told.revoke([server] if kind == "revoked" else [], now)
    settings = TlsSettings(
        cert_file=str(server.cert_file),
        key_file=str(server.key_file),
        client_ca_file=str(told.ca_file) if kind == "wants-certificate" else "",
    )
    return ReceiverTls(
        server_context(settings), str(told.ca_file), str(crl), str(client.cert_file), str(client.key_file)
    )
