"""The receivers of the demonstration: a DPI that is down for a while, a laboratory that rejects, a slow DMN by folder.

Each keeps a registry of its own from what it is sent; in the end all are compared with that of the server.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from insigne.app.clock import rfc3339_now
from insigne.cli.demo.verdict import Expectation
from insigne.exchange.delivery.acts import retry
from insigne.exchange.model import Peer
from insigne.hl7 import parse_ack
from insigne.pam.encode.charset import transliterated
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.receivers.compare import differences
from insigne.simulate.receivers.receiver import ReceiverSettings
from insigne.simulate.receivers.registry import OwnRegistry
from insigne.simulate.receivers.running import Running, running
from insigne.simulate.receivers.script import Script, When
from insigne.store import Store, open_store
from insigne.store.outbox import OutboxFilter

_DRAIN_SECONDS = 120.0
_LOOK_SECONDS = 0.05
_SLOW_SECONDS = 0.01
"""Time the DMN takes over each file, beside applying it."""

_CONFIGURATION = """\

[[destinations]]
name = "dpi"
subscription = {{ edition = "2.11", facility = "DPI", domains = {domains} }}
mllp = {{ host = "127.0.0.1", port = {dpi}, answer_seconds = 10 }}
delivery = {{ first_retry_seconds = 0.1, longest_retry_seconds = 0.5, lanes = 2 }}

[[destinations]]
name = "laboratoire"
mllp = {{ host = "127.0.0.1", port = {laboratory}, answer_seconds = 10 }}
delivery = {{ first_retry_seconds = 0.05, longest_retry_seconds = 0.2 }}
[destinations.subscription]
edition = "PAM-2.5"
charset = "iso8859-1"
unencodable = "transliterate"
facility = "LABO"
domains = {domains}

[[destinations]]
name = "dmn"
subscription = {{ edition = "2.11", facility = "DMN", domains = {domains} }}
folder = {{ path = "{dmn}" }}
"""

#: The identities the receivers are told of: those of the hospital and of the desk, not the hand-written cases.
DOMAINS: Final = (PATIENT_OID, "INSIGNE")
#: How a receiver writes what we hold, where its character set is poorer.
_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "laboratoire": partial(transliterated, codec="iso8859-1"),
}
_REFUSING: Final = "laboratoire"
#: One message in ten is rejected twice by the laboratory before it takes it; of people it does not know yet, it refuses
#: one in five for good, until somebody looks at it.
_REJECTING = Script(
    when=(
        When(do="error", every=5, events=("ADT^A28",), times=1),
        When(do="reject", every=10, times=2),
    )
)


class FolderReceiver:
    """A receiver that reads the files of a folder in order, one at a time, slowly. Lives in a thread of its own."""

    def __init__(self, folder: Path, registry: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.taken = 0
        self.refused: list[str] = []
        self._registry = registry
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="demo-dmn", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is left, and end."""
        self._stopping.set()
        self._thread.join(_DRAIN_SECONDS)

    def left(self) -> int:
        """How many files are not read yet."""
        return len(list(self.folder.glob("*.hl7")))

    async def _run(self) -> None:
        registry = OwnRegistry(self._registry)
        while not self._stopping.is_set() or self.left():
            for path in sorted(self.folder.glob("*.hl7")):
                ack = parse_ack(await registry.take(path.read_bytes(), Peer("dmn", "folder")))
                if ack.code != "AA":
                    self.refused.append(path.name)
                self.taken += 1
                path.unlink()
                await asyncio.sleep(_SLOW_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)
        await registry.close()


@dataclass(frozen=True, slots=True)
class Receivers:
    """The three receivers; `configuration` is what a server needs to know them."""

    folder: Path
    dpi: Running
    laboratory: Running
    dmn: FolderReceiver
    configuration: str

    def dpi_down(self) -> None:
        """Switch the DPI off."""
        self.dpi.call(self.dpi.receiver.go_down())

    def dpi_up(self) -> None:
        """Switch the DPI on again."""
        self.dpi.call(self.dpi.receiver.listen())

    def mend(self) -> None:
        """Have the laboratory refuse nothing more."""
        self.laboratory.follow(Script())

    def bases(self) -> dict[str, Path]:
        """Where each keeps its registry."""
        return {name: self.folder / name / "receiver.db" for name in ("dpi", "laboratoire", "dmn")}


@contextmanager
def receivers(folder: Path) -> Iterator[Receivers]:
    """Three receivers, listening."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        dpi = stack.enter_context(running(ReceiverSettings(folder=folder / "dpi")))
        laboratory = stack.enter_context(running(ReceiverSettings(folder=folder / "laboratoire", script=_REJECTING)))
        dmn = FolderReceiver(folder / "depot", folder / "dmn")
        dmn.start()
        stack.callback(dmn.stop)
        configuration = _CONFIGURATION.format(
            dpi=dpi.receiver.address[1],
            laboratory=laboratory.receiver.address[1],
            dmn=dmn.folder,
            domains=json.dumps(DOMAINS),
        )
        yield Receivers(folder, dpi, laboratory, dmn, configuration)


def settled(
    store: Store, receivers: Receivers, progress: Callable[[int], None]
) -> tuple[list[Expectation], dict[str, int]]:
    """Wait until nothing is left to send, and compare each receiver with the registry; figures of what was sent."""
    sent = Expectation("everything was delivered once the receivers were back")
    left = _drained(store, receivers, progress)
    sent.check(not left, f"{left} messages still waiting")
    receivers.mend()  # a person may tell it again
    refused = _looked_at(store)
    sent.check(refused > 0, "the laboratory refused nothing for good")
    left = _drained(store, receivers, progress)
    sent.check(not left, f"{left} messages still waiting after the refused ones were looked at")
    refusals = receivers.laboratory.receiver.faults["reject"]
    sent.check(refusals > 0, "the laboratory rejected nothing")
    sent.check(not receivers.dmn.refused, f"the DMN refused {len(receivers.dmn.refused)} files")
    with store.read() as view:
        failed = view.failed()
    figures = {
        "dpi": _taken(receivers.dpi),
        "laboratoire": _taken(receivers.laboratory),
        "dmn": receivers.dmn.taken,
        "rejected_then_taken": refusals // 2,
        "refused_then_settled": refused,
    }
    for (destination, state), count in failed.items():
        figures[f"{destination}_{state}"] = count
    return [sent, *_equal(store, receivers)], figures


def _looked_at(store: Store) -> int:
    """What a person does about refused messages: tell them again, and in order all that was told of the same patients
    since, which the receiver could not understand.
    """
    with store.read() as view:
        dead = view.outbox(OutboxFilter(state="dead"), limit=10_000)
        if not dead:
            return 0
        told = view.outbox_range(_REFUSING, dead[-1].id, sys.maxsize, 100_000)
    patients: set[str] = set()
    transaction = store.begin(wait=10.0)
    try:
        for row in told:
            if row.state == "dead" or not patients.isdisjoint(row.keys.split()):
                patients.update(row.keys.split())
                retry(transaction, row, rfc3339_now())
        transaction.commit()
    finally:
        transaction.rollback()
    return len(dead)


def _taken(one: Running) -> int:
    return sum(receipt.code == "AA" for receipt in one.receiver.receipts)


def _drained(store: Store, receivers: Receivers, progress: Callable[[int], None]) -> int:
    deadline = time.monotonic() + _DRAIN_SECONDS
    before = None
    while True:
        with store.read() as view:
            waiting = sum(count for count, _ in view.queues().values()) + receivers.dmn.left()
        if before is not None:
            progress(before - waiting)
        before = waiting
        if not waiting or time.monotonic() > deadline:
            return waiting
        time.sleep(_LOOK_SECONDS)


def _equal(store: Store, receivers: Receivers) -> Sequence[Expectation]:
    expectations = []
    for name, path in receivers.bases().items():
        same = Expectation(f"the registry of the receiver “{name}” equals ours, field by field")
        other = open_store(f"sqlite:///{path.resolve()}", read_only=True)
        try:
            with store.read() as ours, other.read() as theirs:
                found = differences(
                    ours, theirs, concerned=lambda one: one.domain in DOMAINS, spelt=_SPELLINGS.get(name, str)
                )
                same.checked = theirs.counts()["identities"]
        finally:
            other.close()
        same.failures += [f"{one.key}: {one.field}" for one in found]
        expectations.append(same)
    return expectations
