"""A base of many identities, made once and kept in the temporary folder; each user works on a copy.

The identities come from the simulator's people, are decided by the registry and written by the store like any other,
a few thousand to a commit, each with the message that would have brought it.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from bench import machine
from bench.progress import bar
from insigne import __version__
from insigne.exchange.ids import TimeOrderedIds
from insigne.exchange.model import MessageRecord
from insigne.registry.commands import DetailsAssertion, Patient, RecordPatient, TraitsAssertion
from insigne.registry.decide import decide
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.values import Address, Authority, Identifier, Ins, Telecom
from insigne.registry.workingset import WorkingSet
from insigne.simulate.hospital import HospitalSettings, truth
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.truth import National, Person
from insigne.store import open_store, upgrade

SITE = Authority("CH-VALBRUME", PATIENT_OID, "ISO")
DATABASE = "insigne.db"
_FIRST_NUMBER = 1_000_000
_BATCH = 4000
_TIME = "2025-06-01T08:00:00.000Z"
_MADE_BY = ("registry/state.py", "registry/events.py", "registry/values.py", "store/rows.py", "store/schema.py")


def number_of(rank: int) -> str:
    """The patient number (type PI, authority SITE) of the identity of that rank."""
    return str(_FIRST_NUMBER + rank)


def base(size: int, folder: Path) -> Path:
    """Put a copy of the base of `size` identities in a data folder; returns the file."""
    kept = _kept(size)
    if not kept.exists():
        _make(kept, size)
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(kept, folder / DATABASE))


def message_about(
    person: Person,
    number: str,
    event: str,
    control_id: str,
    *,
    qualified: bool | None = None,
    absorbed: str = "",
) -> bytes:
    """An ADT message that says what the base knows of that person, or whether they are qualified.

    `absorbed` is the number of MRG-1, in messages that have it.
    """
    traits = person.traits
    national = _ins(person, number) if qualified is None else person.national if qualified else None
    structure = "ADT_A39" if absorbed else "ADT_A05"
    tail = f"MRG|{_local(absorbed)}" if absorbed else "PV1||N"
    first, names = traits.given_names[0], " ".join(traits.given_names)
    ins = f"~{national.matricule}^^^ASIP-SANTE-INS-NIR&{national.oid}&ISO^INS" if national else ""
    address = f"{int(number) % 120 + 1} RUE DES TILLEULS^^VALBRUME^^80999^FRA^H~^^^^^^BDL^^{traits.birth_place}"
    return (
        f"MSH|^~\\&|GAM|CH-VALBRUME|INSIGNE|CH-VALBRUME|20250601100000||ADT^{event}^{structure}|{control_id}|P|2.5^FRA^2.11"
        "|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\r"
        "EVN||20250601100000|||||CH-VALBRUME^990000019^N\r"
        f"PID|1||{_local(number)}{ins}||{traits.birth_name}^{first}^{names}^^^^L||"
        f"{traits.birth_date.replace('-', '')}|{traits.sex}|||{address}||^PRN^CP^^^^^^^^^0639980000"
        f"|||||||||||||||||N||{'VALI' if national else 'PROV'}|20250601100000\r"
        f"{tail}\r"
        "ZFD|||N|N|INSI|20250601|CN|20300101\r"
    ).encode()


def _local(number: str) -> str:
    """A patient number as a CX."""
    return f"{number}^^^{SITE.namespace}&{SITE.universal_id}&ISO^PI"


def _ins(person: Person, number: str) -> National | None:
    """Three in five are qualified, the others provisional."""
    return person.national if int(number) % 5 < 3 else None


def people(size: int) -> Iterator[Person]:
    """The people of a base, always the same ones."""
    return truth(HospitalSettings(patients=0, people=size, seed=77))


def _kept(size: int) -> Path:
    source = Path(open_store.__code__.co_filename).parents[1]
    made_by = [*(source / name for name in _MADE_BY), *sorted((source / "store/migrations/versions").glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_by) + __version__.encode()).hexdigest()[:12]
    return machine.scratch() / f"base-{size}-{digest}.db"


def _make(target: Path, size: int) -> None:
    for old in target.parent.glob(f"base-{size}-*"):
        old.unlink()
    part = target.with_suffix(".part")
    url = f"sqlite:///{part}"
    upgrade(url)
    store = open_store(url)
    makers = people(size)
    rank = 0
    with bar(f"making a base of {size:,} identities (once)", size) as step:
        writer = _Writer()
        while batch := list(islice(makers, _BATCH)):
            with store.begin() as transaction:
                working, messages = writer.written(WorkingSet(transaction), batch, rank)
                transaction.write(working, messages)
                transaction.commit()
            rank += len(batch)
            step(len(batch))
    store.close()
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    part.replace(target)


class _Writer:
    def __init__(self) -> None:
        self._clock = 1_748_764_800_000
        self._new_id: Callable[[], str] = TimeOrderedIds(self._tick, b"\x01\x02\x03\x04")
        self._policy = Policy()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def written(self, working: WorkingSet, batch: list[Person], rank: int) -> tuple[WorkingSet, list[MessageRecord]]:
        """Decide a batch; the changes and the messages that go with them."""
        messages = []
        for offset, person in enumerate(batch):
            number = number_of(rank + offset)
            message_id = self._new_id()
            source = Source(_TIME, "GAM|CH-VALBRUME", "message", message_id)
            decision = decide(RecordPatient(_patient(person, number)), working, source, self._policy, self._new_id)
            messages.append(_message(person, number, message_id, decision.subject))
        return working, messages


def _patient(person: Person, number: str) -> Patient:
    traits, national = person.traits, _ins(person, number)
    home = Address("H", f"{int(number) % 120 + 1} RUE DES TILLEULS", "", "VALBRUME", "80999", "FRA")
    return Patient(
        identifiers=(Identifier("PI", SITE, number),),
        ins=(Ins(national.matricule, national.oid),) if national else (),
        reliability=("VALI",) if national else ("PROV",),
        traits=TraitsAssertion(
            traits.birth_name,
            traits.given_names[0],
            " ".join(traits.given_names),
            traits.birth_date.replace("-", ""),
            traits.sex,
            traits.birth_place,
        ),
        details=DetailsAssertion(addresses=(home,), telecoms=(Telecom("PRN", "CP", "0639980000"),)),
    )


def _message(person: Person, number: str, message_id: str, subject: str) -> MessageRecord:
    raw = message_about(person, number, "A28", f"BASE{number}")
    return MessageRecord(
        id=message_id,
        time=_TIME,
        direction="in",
        peer="mllp:127.0.0.1",
        sender="GAM|CH-VALBRUME",
        control_id=f"BASE{number}",
        event="ADT^A28",
        version="2.5^FRA^2.11",
        charset="UNICODE UTF-8>utf-8",
        disposition="accepted",
        code="AA",
        digest=hashlib.sha256(raw).digest(),
        raw=raw,
        ack=raw[:90],
        findings=b"",
        subject=subject,
    )
