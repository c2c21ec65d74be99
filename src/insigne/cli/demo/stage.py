"""The stage of the demonstration: a folder, certificates, a configuration, and a real server in its own process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from insigne.access import Scope
from insigne.access.tokens import RANDOM_BYTES, issue
from insigne.net.authority import DemoAuthority, Issued
from insigne.store import open_store
from insigne.store.tokens import StoredTokens

SENDER = "GAM de démonstration"
_START_SECONDS = 90.0
_STOP_SECONDS = 20.0

_CONFIGURATION = """\
# Made by `insigne demo`: a hospital's chain, fed over mutual TLS and by folder.
environment = "production"
roles = ["ri", "consumer", "pfi"]

[mllp]
port = 0

[mllp.tls]
cert_file = "{server.cert_file}"
key_file = "{server.key_file}"
client_ca_file = "{ca_file}"

[[mllp.senders]]
name = "{sender}"
certificate_name = "{client_name}"

[[folders]]
name = "demo"
path = "{folder}"
poll_seconds = 0.1

[http]
port = 0
"""


class NotStarted(Exception):  # noqa: N818 - said to the user as it stands
    """The server did not start; the text is the end of its log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays. Addresses are host:port; `token` reads FHIR and posts documents."""

    folder: Path
    configuration: Path
    data: Path
    inbox: Path
    ca_file: Path
    client: Issued
    mllp: str
    http: str
    token: str

    @property
    def store_url(self) -> str:
        """The base of the server, to be read beside it."""
        return f"sqlite:///{(self.data / 'insigne.db').resolve()}"


@contextmanager
def stage(folder: Path, more: str) -> Iterator[Stage]:
    """Prepare everything in `folder`, start the server, stop it in the end. `more` ends its configuration.

    Raises NotStarted.
    """
    _loopback()
    now = datetime.now(UTC)
    authority = DemoAuthority(folder / "certificates", now)
    server, client = authority.issue_server("insigne-demo", now), authority.issue_client("demo-gam", now)
    inbox, data = folder / "inbox", folder / "data"
    inbox.mkdir(parents=True, exist_ok=True)
    configuration = folder / "insigne.toml"
    configuration.write_text(
        _CONFIGURATION.format(
            server=server, ca_file=authority.ca_file, sender=SENDER, client_name="demo-gam", folder=inbox
        )
        + more,
        encoding="utf-8",
    )
    process, ready = _start(configuration, data, folder)
    try:
        token = _token(data, now)
        yield Stage(folder, configuration, data, inbox, authority.ca_file, client, ready["mllp"], ready["http"], token)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _loopback() -> None:
    """Raises NotStarted where programs cannot reach each other on 127.0.0.1, as in a network namespace of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        try:
            socket.create_connection(listening.getsockname(), timeout=_START_SECONDS).close()
        except OSError as error:
            raise NotStarted(
                f"127.0.0.1 cannot be reached ({error}): bring it up, as with `ip link set lo up`"
            ) from None


def _start(configuration: Path, data: Path, folder: Path) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    ready_file, log_file = folder / "ready.json", folder / "server.log"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "insigne", "serve", "--config", str(configuration), "--data", str(data)]
    with log_file.open("wb") as log:
        process = subprocess.Popen([*command, "--ready-file", str(ready_file)], stderr=log)  # noqa: S603 - our own command
    deadline = time.monotonic() + _START_SECONDS
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise NotStarted(log_file.read_text(encoding="utf-8", errors="replace")[-2000:])
        time.sleep(0.02)
    return process, json.loads(ready_file.read_text(encoding="utf-8"))


def _token(data: Path, now: datetime) -> str:
    text, token = issue("demo", [Scope.FHIR_READ, Scope.DOCUMENT_WRITE], random_bytes=os.urandom(RANDOM_BYTES), now=now)
    store = open_store(f"sqlite:///{(data / 'insigne.db').resolve()}", wait=5.0)
    try:
        StoredTokens(store, "demo").add(token)
    finally:
        store.close()
    return text
