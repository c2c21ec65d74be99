"""The certificates of a simulator, made once under its data folder: a demonstration authority, a server, clients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from insigne.net.authority import LOOPBACK, DemoAuthority, Issued
from insigne.net.tls import TlsError, days_left

_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, not listened on


@dataclass(frozen=True, slots=True)
class Names:
    """What the certificates of a simulator say: its authority, its server, its clients, those who only sign.

    `rsa_server`: its clients may have cipher suites of RSA only.
    """

    authority: str
    server: str
    clients: Sequence[str]
    signers: Sequence[str] = ()
    rsa_server: bool = False


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of the authority, the server and each client and signer by common name."""

    ca_file: Path
    server: Issued
    clients: Mapping[str, Issued]

    def listed(self) -> dict[str, dict[str, str]]:
        """Return the files of the clients as a ready file shows them; paths are absolute."""
        return {
            name: {"cert": str(issued.cert_file.resolve()), "key": str(issued.key_file.resolve())}
            for name, issued in self.clients.items()
        }


def prepare(folder: Path, host: str, names: Names, now: datetime) -> Certificates:
    """Return the certificates in a folder, making those that are missing or about to expire.

    That of the server is made each time: the host may have changed. Raises OSError.
    """
    authority = DemoAuthority(folder, now, name=names.authority)
    hosts = LOOPBACK if host in _ANY_ADDRESS else tuple(dict.fromkeys((*LOOPBACK, host)))
    server = authority.issue_server(names.server, now, hosts=hosts, rsa_key=names.rsa_server)
    clients = {name: _kept(authority, name, now, authority.issue_client) for name in names.clients}
    signers = {name: _kept(authority, name, now, authority.issue_signer) for name in names.signers}
    return Certificates(authority.ca_file, server, clients | signers)


def reachable(host: str) -> str:
    """Return the host to put in an address: loopback for a server that listens everywhere, brackets around IPv6."""
    if host in _ANY_ADDRESS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _kept(authority: DemoAuthority, name: str, now: datetime, issue: Callable[[str, datetime], Issued]) -> Issued:
    kept = Issued(authority.folder / f"{name}.pem", authority.folder / f"{name}.key")
    try:
        if kept.key_file.exists() and days_left(str(kept.cert_file), now) > 1:
            return kept
    except TlsError:
        pass  # missing or damaged: made anew
    return issue(name, now)
