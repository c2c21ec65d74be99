"""A repository in memory that says what it tells: messages and acts in, notices and messages out."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from insigne.hl7 import Message
from insigne.pam.decode import decode
from insigne.pam.encode import Notice, Outcome, SubscriptionSettings, dialect_of, encode, notices
from insigne.registry.acts import Act
from insigne.registry.commands import Command
from insigne.registry.decide import decide, decide_act
from insigne.registry.events import Recorded
from insigne.registry.evolve import State, evolve
from insigne.registry.ports import Key
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import Encounter, Identity
from insigne.registry.workingset import WorkingSet

#: Noon in Paris on a day of winter: EVN-2 and MSH-7 are 20260302120000+0100.
NOON = "2026-03-02T11:00:00Z"
MSH = (
    "MSH|^~\\&|GAM|HOSP|INSIGNE|HOSP|20260302120000||ADT^{event}^{structure}|{number}|P|2.5^FRA^2.11"
    "|||||FRA|UNICODE UTF-8|FR"
)


class Repository:
    """States, lookups and journal in dictionaries. It is a `View`."""

    def __init__(self, **policy: Any) -> None:
        self.policy = Policy(environment="test", own=frozenset({"INSIGNE"}), **policy)
        self.states: dict[tuple[str, str], State] = {}
        self.journal: list[Recorded] = []
        self._holders: dict[Key, tuple[str, ...]] = {}
        self._encounters: dict[Key, tuple[str, ...]] = {}
        self._items: dict[str, str | None] = {}
        self._ids = (f"{number:06d}" for number in itertools.count(1))
        self._causes = itertools.count(1)

    def identity(self, identity_id: str) -> Any:
        return self.states.get(("identity", identity_id))

    def encounter(self, encounter_id: str) -> Any:
        return self.states.get(("encounter", encounter_id))

    def work_item(self, item_id: str) -> Any:
        return self.states.get(("work-item", item_id))

    def holders(self, key: Key) -> tuple[str, ...]:
        return self._holders.get(key, ())

    def encounters(self, key: Key) -> tuple[str, ...]:
        return self._encounters.get(key, ())

    def open_work_item(self, key: str) -> str | None:
        return self._items.get(key)

    # --- what happens

    def receives(self, message: Message, time: str = NOON, author: str = "GAM|HOSP") -> list[Notice]:
        """What is told of a message. Raises `Refused` when the registry refuses it."""
        return self.applies(decode(message), time, author)

    def applies(self, command: Command, time: str = NOON, author: str = "GAM|HOSP") -> list[Notice]:
        """What is told of a command."""
        source = Source(time, author, "message", str(next(self._causes)))
        working = WorkingSet(self)
        decide(command, working, source, self.policy, self._ids.__next__)
        return self.settled(working)

    def acts(self, act: Act, time: str = NOON) -> list[Notice]:
        """What is told of an act of a person."""
        source = Source(time, "user:alice", "user", str(next(self._causes)), local=True)
        working = WorkingSet(self)
        decide_act(act, working, source, self.policy, self._ids.__next__)
        return self.settled(working)

    def settled(self, working: WorkingSet) -> list[Notice]:
        """Take over what was decided."""
        told = notices(working.records, working)
        self.journal += working.records
        for stream, changed in (
            ("identity", working.identities),
            ("encounter", working.encounter_states),
            ("work-item", working.work_items),
        ):
            self.states.update({(stream, number): state for number, state in changed.items()})
        self._holders.update(working._holders)
        self._encounters.update(working._encounters)
        self._items.update(working._open_items)
        return told

    # --- what is seen

    def identities(self) -> list[Identity]:
        return [state for state in self.states.values() if isinstance(state, Identity)]

    def stays(self) -> list[Encounter]:
        return [state for state in self.states.values() if isinstance(state, Encounter)]

    def person(self, number: str) -> Identity:
        [found] = [one for one in self.identities() if any(h.identifier.value == number for h in one.identifiers)]
        return found

    def states_of(self, notice: Notice) -> dict[tuple[str, str], State]:
        """The states a notice names, each at its version, replayed from the journal when it moved on."""
        found: dict[tuple[str, str], State] = {}
        for ref in notice.refs:
            state = self.states[(ref.stream, ref.id)]
            if state.version != ref.version:
                past: State | None = None
                for record in self.journal:
                    if (record.stream, record.stream_id) == (ref.stream, ref.id) and record.version <= ref.version:
                        past = evolve(past, record)
                assert past is not None
                state = past
            found[(ref.stream, ref.id)] = state
        return found

    def written(self, notice: Notice, original: Message | None = None, **settings: Any) -> Outcome:
        """The outcome for a receiver called DPI."""
        authorities = settings.pop("known_authorities", ())
        dialect = dialect_of(
            SubscriptionSettings(application="DPI", facility="HOSP", **settings),
            name="DPI",
            environment="test",
            authorities=authorities,
        )
        current = self.identity(notice.subject)
        return encode(notice, self.states_of(notice), current, dialect, control_id="M1", time=NOON, original=original)


@pytest.fixture
def repository() -> Repository:
    return Repository()


def message(event: str, *segments: str, number: str = "1", structure: str = "") -> Message:
    """A French message of our feed; EVN is written for the test."""
    structures = {
        "A28": "ADT_A05",
        "A31": "ADT_A05",
        "A40": "ADT_A39",
        "A47": "ADT_A30",
        "A44": "ADT_A43",
        "A49": "ADT_A30",
        "Z99": "ADT_A01",
    }
    header = MSH.format(event=event, structure=structure or structures.get(event, f"ADT_{event}"), number=number)
    return Message.parse("\r".join((header, "EVN||20260302120000", *segments, "")).encode())


def pid(number: str = "1001", *, ins: str = "", status: str = "PROV", account: str = "", **traits: str) -> str:
    """PID of a synthetic person; `traits` replaces names, birth, sex, place, address, phone."""
    names = traits.get("names", "VERMILLON^LUCE^LUCE ADELE^^Mme^^L")
    identifiers = "~".join(filter(None, (f"{number}^^^HOSP&1.2.250.1.999.1&ISO^PI", ins)))
    place = f"~^^VALBRUME^^^FRA^BDL^^{traits.get('place', '69123')}"
    address = traits.get("address", "3 RUE DES LILAS^^VALBRUME^^69001^FRA^H")
    phone = traits.get("phone", "")
    owned = f"{account}^^^HOSP&1.2.250.1.999.2&ISO^AN" if account else ""
    birth, sex = traits.get("birth", "19800214"), traits.get("sex", "F")
    return f"PID|1||{identifiers}||{names}||{birth}|{sex}|||{address}{place}||{phone}|||||{owned}||||||||||||||{status}"


#: Matricules under the OID of the tests, with a right key (97 − 13 digits mod 97).
def matricule(stem: str) -> str:
    """The 13 characters with their key."""
    return f"{stem}{97 - int(stem) % 97:02d}"


FIRST = matricule("2800269123001")
SECOND = matricule("2800269123002")
NIR = "ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO"
NIA = "ASIP-SANTE-INS-NIA&1.2.250.1.213.1.4.9&ISO"


def ins(number: str = FIRST, authority: str = NIR) -> str:
    """An INS as PID-3 and MRG-1 carry it."""
    return f"{number}^^^{authority}^INS"


def mrg(*identifiers: str, account: str = "") -> str:
    """MRG naming prior identifiers (numbers of patients or whole CX) and an account."""
    whole = [one if "^" in one else f"{one}^^^HOSP&1.2.250.1.999.1&ISO^PI" for one in identifiers]
    tail = f"||{account}^^^HOSP&1.2.250.1.999.2&ISO^AN" if account else ""
    return f"MRG|{'~'.join(whole)}{tail}"


def movement(
    number: str, start: str, ward: str = "2101", *, action: str = "INSERT", origin: str = "", nature: str = "HMS"
) -> str:
    """ZBE of a movement, both responsibilities in the same ward."""
    unit = f"UF {ward}^^^^^HOSP&990000019&N^UF^^^{ward}"
    return f"ZBE|{number}^GAM^1.2.250.1.999.4^ISO|{start}||{action}|N|{origin}|{unit}|{unit}|{nature}"


def visit(place: str = "2101^12^P^HOSP", *, kind: str = "I", prior: str = "", doctor: str = "", **more: str) -> str:
    """PV1 of the stay 501."""
    fields = [""] * 46
    fields[0], fields[2], fields[3], fields[6], fields[7] = "PV1", kind, place, prior, doctor
    fields[19] = "501^^^HOSP&1.2.250.1.999.3&ISO^VN"
    for name, value in more.items():
        fields[int(name.removeprefix("f"))] = value
    return "|".join(fields).rstrip("|")


def lines(outcome: Outcome) -> list[str]:
    """The segments of what was encoded."""
    assert hasattr(outcome, "raw"), outcome
    return outcome.raw.decode().rstrip("\r").split("\r")


def segment(outcome: Outcome, name: str) -> str:
    """The first segment of that name; "" without any."""
    return next((line for line in lines(outcome) if line.startswith(name)), "")


def field(outcome: Outcome, name: str, number: int) -> str:
    """One field, raw."""
    fields = segment(outcome, name).split("|")
    return fields[number] if number < len(fields) else ""


def triggers(told: Sequence[Notice]) -> list[str]:
    """The events told, with their kind: "A47.identifier"."""
    return [f"{one.trigger}.{one.kind}" if one.kind else one.trigger for one in told]
