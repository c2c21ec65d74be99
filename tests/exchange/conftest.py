"""A hospital that sends ADT messages to an intake over a real SQLite store, and looks at what became of them."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from insigne.exchange.adt import AdtHandler
from insigne.exchange.handler import Handler
from insigne.exchange.ids import TimeOrderedIds
from insigne.exchange.intake import Intake
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.settings import ExchangeSettings, SenderSettings
from insigne.registry.settings import AuthoritySettings, RegistrySettings, policy
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.store import open_store
from insigne.store.migrate import upgrade

OURS = "HOSP&1.2.250.1.999.1&ISO"
OID = {"NIR": "1.2.250.1.213.1.4.8", "NIA": "1.2.250.1.213.1.4.9", "TEST": "1.2.250.1.213.1.4.10"}
NAME = {"NIR": "ASIP-SANTE-INS-NIR", "NIA": "ASIP-SANTE-INS-NIA", "TEST": "ASIP-SANTE-INS-NIR"}
STRUCTURES = {
    **dict.fromkeys(("A01", "A04", "A13", "Z99", "A08"), "ADT_A01"),
    **dict.fromkeys(("A05", "A14", "A28", "A31"), "ADT_A05"),
    **dict.fromkeys(("A06", "A07"), "ADT_A06"),
    **dict.fromkeys(("A09", "A10", "A11"), "ADT_A09"),
    **dict.fromkeys(("A21", "A22", "A25", "A26", "A27", "A32", "A33"), "ADT_A21"),
    **dict.fromkeys(("A52", "A53", "A55"), "ADT_A52"),
    **{"A40": "ADT_A39", "A44": "ADT_A43", "A47": "ADT_A30", "A49": "ADT_A30"},
}
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def segment(name: str, fields: Mapping[int, str]) -> str:
    """A segment from its valued fields."""
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields, default=0) + 1))])


def matricule(first13: str) -> str:
    """The 15 characters: a NIR without Corsica and its key, 97 minus the number modulo 97."""
    return f"{first13}{97 - int(first13) % 97:02d}"


def cx_ins(first13: str, kind: str = "NIR") -> str:
    """The INS repetition of PID-3 or MRG-1."""
    value = first13 if first13 == '""' else matricule(first13)
    return f"{value}^^^{NAME[kind]}&{OID[kind]}&ISO^INS"


def pi(value: str, authority: str = OURS) -> str:
    return f"{value}^^^{authority}^PI"


def header(event: str, control: str, **msh: str) -> str:
    fields = {
        2: "GAM",
        3: "HOSP",
        4: "INSIGNE",
        5: "HOSP",
        6: "20260301080000+0100",
        8: f"ADT^{event}^{STRUCTURES.get(event, f'ADT_{event}')}",
        9: control,
        10: "P",
        11: "2.5^FRA^2.11",
        16: "FRA",
        17: "UNICODE UTF-8",
        18: "FR",
    } | {int(name.removeprefix("msh")) - 1: value for name, value in msh.items()}
    return segment("MSH", {1: "^~\\&"} | fields)


def pid(
    *identifiers: str,
    status: str = "PROV",
    name: str = "MARTIN^ALICE^ALICE MARIE^^^^L",
    birth: str = "19800214",
    sex: str = "F",
    place: str = "69123",
    **more: str,
) -> str:
    birthplace = f"^^^^^^BDL^^{place}" if place else ""
    fields = {3: "~".join(identifiers), 5: name, 7: birth, 8: sex, 11: birthplace, 32: status}
    return segment("PID", fields | {int(key.removeprefix("pid")): value for key, value in more.items()})


def zbe(movement: str, start: str, action: str = "INSERT", *, original: str = "", historic: str = "N") -> str:
    number = f"{movement}^HOSP^1.2.250.1.999.1^ISO" if movement else ""
    unit = "Chirurgie^^^^^HOSP&1.2.250.1.999.1&ISO^UF^^^6268"
    return segment("ZBE", {1: number, 2: start, 4: action, 5: historic, 6: original, 7: unit, 8: unit, 9: "HMS"})


def pv1(visit: str, *, kind: str = "I", ward: str = "6268", **more: str) -> str:
    number = f"{visit}^^^{OURS}^VN" if visit else ""
    fields = {2: kind, 3: f"{ward}^12^2" if ward else "", 19: number}
    return segment("PV1", fields | {int(key.removeprefix("pv")): value for key, value in more.items()})


@dataclass(frozen=True)
class Reply:
    """An answer as its sender reads it."""

    answer: Answer
    text: str

    @property
    def code(self) -> str:
        return self.answer.code

    def _segments(self, name: str) -> list[list[str]]:
        return [line.split("|") for line in self.text.split("\r") if line.startswith(f"{name}|")]

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """(ERR-2, ERR-3.1, ERR-4) of each ERR."""
        return [(err[2], err[3].split("^")[0], err[4]) for err in self._segments("ERR")]

    @property
    def acknowledged(self) -> str:
        """MSA-2."""
        return self._segments("MSA")[0][2]


class Hospital:
    """One site: its store, its intake, its clock."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: Any = "production",
        authorities: tuple[AuthoritySettings, ...] = (),
        registry: RegistrySettings | None = None,
        senders: tuple[SenderSettings, ...] = (),
        settings: ExchangeSettings | None = None,
        wrap: Callable[[Any], Handler] | None = None,
        wrap_store: Callable[[Any], Any] | None = None,
    ) -> None:
        self.path = folder / "insigne.db"
        url = f"sqlite:///{self.path}"
        upgrade(url)
        self.now = START
        self.store = open_store(url)
        self.ids = TimeOrderedIds(lambda: int(self.now.timestamp() * 1000), b"test")
        settings = settings or ExchangeSettings()
        rules = policy(environment, authorities, registry or RegistrySettings())
        self.adt = AdtHandler(rules, settings.processing_ids, self.ids)
        handler = wrap(self.adt) if wrap else self.adt
        storage = wrap_store(self.store) if wrap_store else self.store
        self.intake = Intake(storage, {"ADT": handler}, senders, settings, clock=lambda: self.now, new_id=self.ids)
        self._sent = 0

    # --- sending

    def received(self, raw: bytes | str) -> Received:
        time = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Received(raw.encode() if isinstance(raw, str) else raw, Peer("gam", "mllp"), time)

    def post(self, *raws: bytes | str) -> list[Reply]:
        """Send messages in one batch."""
        self.now += timedelta(seconds=1)
        answers = self.intake.process([self.received(raw) for raw in raws])
        return [Reply(answer, answer.payload.decode()) for answer in answers]

    def message(self, event: str, *segments: str, **msh: str) -> str:
        """A message with a control id of its own."""
        self._sent += 1
        evn = segment("EVN", {2: "20260301080000"})
        return "".join(f"{line}\r" for line in (header(event, f"C{self._sent}", **msh), evn, *segments))

    def send(self, event: str, *segments: str, **msh: str) -> Reply:
        return self.post(self.message(event, *segments, **msh))[0]

    def says(self, event: str, *identifiers: str, **traits: str) -> Reply:
        """A28, A31 or A08."""
        return self.send(event, pid(*identifiers, **traits), segment("PV1", {2: "N"}))

    def merge(self, survivor: str, *merged: str) -> Reply:
        return self.send("A40", pid(survivor), segment("MRG", {1: "~".join(merged)}))

    def replace(self, *identifiers: str, prior: str, **traits: str) -> Reply:
        return self.send("A47", pid(*identifiers, **traits), segment("MRG", {1: prior}))

    def moves(
        self,
        event: str,
        patient: str,
        movement: str,
        *,
        visit: str = "V1",
        start: str = "20260301090000",
        action: str = "INSERT",
        original: str = "",
        historic: str = "N",
        visit_fields: Mapping[str, str] | None = None,
        **traits: str,
    ) -> Reply:
        """An ITI-31 event."""
        return self.send(
            event,
            pid(patient, pid18=f"N1^^^{OURS}^AN", **traits),
            pv1(visit, **(visit_fields or {})),
            zbe(movement, start, action, original=original, historic=historic),
        )

    # --- looking

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.path) as connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found

    def identities(self) -> list[Identity]:
        """Every identity, merged ones included, oldest first."""
        rows = self.rows("SELECT state FROM identity ORDER BY id")
        return [msgspec.json.decode(row[0], type=Identity) for row in rows]

    def person(self, number: str) -> Identity:
        """The identity that holds or held a local number, merges not followed."""
        [found] = [i for i in self.identities() if any(h.identifier.value == number for h in i.identifiers)]
        return found

    def stays(self) -> list[Encounter]:
        rows = self.rows("SELECT state FROM encounter ORDER BY id")
        return [msgspec.json.decode(row[0], type=Encounter) for row in rows]

    def tasks(self) -> list[WorkItem]:
        """Open work items."""
        rows = self.rows("SELECT state FROM work_item WHERE open ORDER BY id")
        return [msgspec.json.decode(row[0], type=WorkItem) for row in rows]

    def kinds(self) -> list[str]:
        return [task.kind for task in self.tasks()]

    def events(self) -> list[str]:
        """The types of the journal's events, in order."""
        return [row[0] for row in self.rows("SELECT type FROM journal ORDER BY seq")]

    def log(self) -> list[tuple[str, str]]:
        """(disposition, MSA-1) of the message log."""
        return self.rows("SELECT disposition, code FROM message ORDER BY id")

    def findings(self) -> list[str]:
        """The rules of the findings of the last message."""
        [(found,)] = self.rows("SELECT findings FROM message ORDER BY id DESC LIMIT 1")
        return [item["rule"] for item in json.loads(found or b"[]")]

    def snapshot(self) -> list[tuple[Any, ...]]:
        """Everything that a message may change, the message log excepted."""
        return [
            row
            for table in ("identity", "identifier", "encounter", "encounter_key", "work_item", "journal")
            for row in self.rows(f"SELECT * FROM {table}")
        ]

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def open_hospital(tmp_path: Path) -> Iterator[Callable[..., Hospital]]:
    """Open a hospital with settings of its own."""
    opened: list[Hospital] = []

    def opening(**settings: Any) -> Hospital:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Hospital(folder, **settings))
        return opened[-1]

    yield opening
    for hospital in opened:
        hospital.close()


@pytest.fixture
def hospital(open_hospital: Callable[..., Hospital]) -> Hospital:
    """A hospital with the default settings, in production."""
    return open_hospital()


@pytest.fixture
def write() -> Any:
    """The writers of segments: `write.pid(...)`, `write.pi(...)`, `write.ins(...)`…"""

    class Write:
        pid = staticmethod(pid)
        pi = staticmethod(pi)
        ins = staticmethod(cx_ins)
        pv1 = staticmethod(pv1)
        zbe = staticmethod(zbe)
        segment = staticmethod(segment)
        matricule = staticmethod(matricule)

    return Write
