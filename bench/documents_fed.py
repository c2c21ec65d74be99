"""Documents that leave: signed and fed to the simulated DMP over mutual TLS; memory of a large one, intake to DMP."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench import content, documents_site, load, machine, server
from bench.corpus import Sent
from bench.documents_site import Patient, Step, letter
from bench.populate import DATABASE
from insigne.simulate.letters import message

EACH = 4
"""Documents of each patient: the existence of a DMP is asked once for them."""
LANES = 8
_FIRST_NUMBER = 3_000_000
_PATIENCE = 300.0
_LOOK_SECONDS = 0.05
_NOT_FED = "SELECT count(*) FROM document_sending WHERE state <> 'fed'"
_RECEIVED = "SELECT min(received), max(received), count(*) FROM document WHERE status = 'approved'"
_FRAME_BYTES = 100_000_000


class Fed(NamedTuple):
    """What was measured: documents, over how long the DMP received them, processor of ours in all, those missing."""

    documents: int
    seconds: float
    processor: float
    missing: int

    @property
    def rate(self) -> float:
        """Documents a second."""
        return (self.documents - 1) / self.seconds


def fed(folder: Path, documents: int) -> Fed:
    """Take in documents while no DMP is configured, then start with one that takes them all."""
    people = documents_site.people(documents // EACH)
    patients = [Patient(person, str(_FIRST_NUMBER + rank)) for rank, person in enumerate(people)]
    data = folder / "pfi"
    with server.running(documents_site.dmp(folder / "dmp", people)) as dmp:
        with server.running(
            server.insigne(data, *documents_site.settings(dmp.told, **{"service.endpoint": ""}))
        ) as ours:
            _checked(load.drive(ours.host, ours.port, _lanes(patients)))
        with server.running(server.insigne(data, *documents_site.settings(dmp.told))) as ours:
            _wait(data, ours)
            processor = ours.processor_seconds()
    with closing(sqlite3.connect(folder / "dmp" / documents_site.DMP_BASE)) as base:
        first, last, count = base.execute(_RECEIVED).fetchone()
    seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    return Fed(count, seconds, processor, len(patients) * EACH - count)


def _lanes(patients: Sequence[Patient]) -> list[list[Sent]]:
    lanes: list[list[Sent]] = [[] for _ in range(min(LANES, len(patients)))]
    for rank, patient in enumerate(patients):
        letters = [letter(rank * EACH + which + 1) for which in range(EACH)]
        steps = [patient.known(qualified=True), *map(patient.sent, letters)]
        lanes[rank % len(lanes)] += [Sent(step.control_id, step.payload) for step in steps]
    return lanes


def grown(folder: Path, small: bytes, large: bytes) -> dict[str, float]:
    """How much the server grows at most from the intake of a large PDF to the answer of the DMP, in sizes of what came.

    By HTTP it is the PDF that comes, by MLLP a CDA that holds it; a small one went the same way before.
    """
    [person] = documents_site.people(1)
    patient, data = Patient(person, str(_FIRST_NUMBER)), folder / "pfi"
    with server.running(documents_site.dmp(folder / "dmp", [person])) as dmp:
        limits = {"intake.large_tokens": '["bench"]', "intake.max_bytes": _FRAME_BYTES}
        settings = documents_site.settings(dmp.told, **limits)
        token = documents_site.with_token(data, settings)
        with server.running(server.insigne(data, *settings, f"mllp.max_frame_bytes={_FRAME_BYTES}")) as ours:
            _send(ours, patient.known(qualified=True))

            def posted(number: int, page: bytes) -> int:
                step = patient.posted(letter(number))._replace(payload=page)
                if documents_site.post(ours.told["http"], token, step) >= 300:
                    raise RuntimeError("a large document was not taken")
                return len(page)

            def sent(number: int, page: bytes) -> int:
                one = letter(number)
                cda = patient.cda(one, page)
                _send(ours, Step(f"DOC{number:08d}", message(one, cda, patient.identity)))
                return len(cda)

            ways: dict[str, Callable[[int, bytes], int]] = {"posted by HTTP": posted, "sent by MLLP in a CDA": sent}
            found = {}
            for rank, (name, way) in enumerate(ways.items()):
                way(rank * 2 + 1, small)
                _wait(data, ours)
                Path(f"/proc/{ours.pid}/clear_refs").write_text("5")  # the highest mark falls back to what is held now
                before = machine.resident_kb(ours.pid)
                size = way(rank * 2 + 2, large)
                _wait(data, ours)
                found[name] = (machine.highest_kb(ours.pid) - before) * 1024 / size
    return found


def _send(ours: server.Server, step: Step) -> None:
    _checked(load.drive(ours.host, ours.port, [[Sent(step.control_id, step.payload)]]))


def _checked(outcome: load.Outcome) -> None:
    if not outcome.ok:
        raise RuntimeError(f"the server answered {outcome.codes}")


def _wait(data: Path, ours: server.Server) -> None:
    """Until every document is fed. Raises RuntimeError when that does not come."""
    limit = time.monotonic() + _PATIENCE
    while left := content.rows(data / DATABASE, _NOT_FED)[0][0]:
        if time.monotonic() > limit:
            raise RuntimeError(f"{left} documents are not fed:\n{ours.log_end()}")
        time.sleep(_LOOK_SECONDS)
