"""The certificates of a simulator, made once under its data folder: a demonstration authority, a server, clients."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from insigne.net.authority import LOOPBACK, DemoAuthority, Issued
from insigne.net.tls import TlsError, days_left

CLIENTS: Final = ("INSI-AUTO", "INSI-MANU", "AUTRE-CN")
"""Common names of the clients; the last is there to be refused (desir_560)."""

_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, not listened on
_SERVER: Final = "serveur-insi"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of the authority, the server and each client by common name."""

    ca_file: Path
    server: Issued
    clients: Mapping[str, Issued]


def prepare(folder: Path, host: str, now: datetime) -> Certificates:
    """Return the certificates in a folder, making those that are missing or about to expire.

    That of the server is made each time: the host may have changed. Raises OSError.
    """
    authority = DemoAuthority(folder, now, name="Insigne INSi simulator CA")
    hosts = LOOPBACK if host in _ANY_ADDRESS else tuple(dict.fromkeys((*LOOPBACK, host)))
    server = authority.issue_server(_SERVER, now, hosts=hosts)
    clients = {name: _client(authority, name, now) for name in CLIENTS}
    return Certificates(authority.ca_file, server, clients)


def reachable(host: str) -> str:
    """Return the host to put in an address: loopback for a server that listens everywhere, brackets around IPv6."""
    if host in _ANY_ADDRESS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _client(authority: DemoAuthority, name: str, now: datetime) -> Issued:
    kept = Issued(authority.folder / f"{name}.pem", authority.folder / f"{name}.key")
    try:
        if kept.key_file.exists() and days_left(str(kept.cert_file), now) > 1:
            return kept
    except TlsError:
        pass  # missing or damaged: made anew
    return authority.issue_client(name, now)
