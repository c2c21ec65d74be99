"""The registry in memory: committed state in dictionaries, one working set a command, as intake does."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry.decide import Decision, decide, decide_act
from insigne.registry.events import Recorded, decode, encode
from insigne.registry.evolve import State, evolve
from insigne.registry.index import encounter_keys, identity_keys
from insigne.registry.ports import Key
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.registry.values import Authority, Identifier, Ins
from insigne.registry.workingset import WorkingSet

HOSPITAL = Authority("HOSP", "1.2.250.1.999.1", "ISO")
NIR = "1.2.250.1.213.1.4.8"
NIA = "1.2.250.1.213.1.4.9"
TRAITS = cmd.TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "F", "69123")


class Base:
    """A `View` rebuilt from its journal alone: lookups are computed from the states, never kept beside them."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.journal: list[Recorded] = []
        self.states: dict[tuple[str, str], State] = {}
        self._ids = (f"{n:06d}" for n in itertools.count(1))
        self._moments = itertools.count(1)

    # --- View

    def identity(self, identity_id: str) -> Any:
        return self.states.get(("identity", identity_id))

    def encounter(self, encounter_id: str) -> Any:
        return self.states.get(("encounter", encounter_id))

    def work_item(self, item_id: str) -> Any:
        return self.states.get(("work-item", item_id))

    def holders(self, key: Key) -> tuple[str, ...]:
        return tuple(sorted(i.id for i in self.identities() if key in identity_keys(i)))

    def encounters(self, key: Key) -> tuple[str, ...]:
        return tuple(sorted(e.id for e in self.stays() if key in encounter_keys(e)))

    def open_work_item(self, key: str) -> str | None:
        return next((item.id for item in self.tasks() if item.key == key), None)

    # --- looking

    def identities(self) -> list[Identity]:
        return [s for s in self.states.values() if isinstance(s, Identity)]

    def stays(self) -> list[Encounter]:
        return [s for s in self.states.values() if isinstance(s, Encounter)]

    def tasks(self) -> list[WorkItem]:
        return [s for s in self.states.values() if isinstance(s, WorkItem) and not s.closed]

    def person(self, number: str) -> Identity:
        [found] = [i for i in self.identities() if any(h.identifier.value == number for h in i.identifiers)]
        return found

    def survivor(self, identity: Identity) -> Identity:
        seen = set()
        while identity.merged_into:
            assert identity.id not in seen, "merged in a circle"
            seen.add(identity.id)
            identity = self.identity(identity.merged_into)
        return identity

    # --- doing

    def does(self, command: cmd.Command) -> Decision:
        """Apply one command; a refusal raises and leaves nothing."""
        return self._decided(decide, command, "t")

    def acts(self, act: acts.Act, author: str = "user:alice") -> Decision:
        """Apply an act of a person; a refusal raises and leaves nothing."""
        return self._decided(decide_act, act, author)

    def _decided(self, rule: Any, asked: Any, author: str) -> Decision:
        working = WorkingSet(self)
        moment = next(self._moments)
        source = Source(
            f"2026-03-01T{moment // 3600:02d}:{moment // 60 % 60:02d}:{moment % 60:02d}.000Z", author, "m", "1"
        )
        decision: Decision = rule(asked, working, source, self.policy, self._ids.__next__)
        self.journal += working.records
        for kind, changed in (
            ("identity", working.identities),
            ("encounter", working.encounter_states),
            ("work-item", working.work_items),
        ):
            self.states.update({(kind, number): state for number, state in changed.items()})
        return decision

    def rebuilt(self) -> dict[tuple[str, str], State]:
        """The states from the journal alone, each event written and read back."""
        states: dict[tuple[str, str], State] = {}
        for record in self.journal:
            key = (record.stream, record.stream_id)
            stored = Recorded(
                record.stream,
                record.stream_id,
                record.version,
                record.time,
                record.author,
                record.cause_kind,
                record.cause_id,
                decode(encode(record.event)),
            )
            states[key] = evolve(states.get(key), stored)
        return states


def pi(value: str, authority: Authority = HOSPITAL) -> Identifier:
    return Identifier("PI", authority, value)


def patient(
    *numbers: Identifier | str,
    ins: str = "",
    oid: str = NIR,
    status: tuple[str, ...] = ("PROV",),
    traits: cmd.TraitsAssertion = TRAITS,
    **more: Any,
) -> cmd.Patient:
    identifiers = tuple(pi(n) if isinstance(n, str) else n for n in numbers)
    held = (Ins(ins, oid),) if ins else ()
    return cmd.Patient(identifiers=identifiers, ins=held, reliability=status, traits=traits, **more)


@pytest.fixture
def base() -> Base:
    return Base()


@pytest.fixture
def base_with() -> Callable[[Policy], Base]:
    return Base


@pytest.fixture
def write() -> Any:
    """The writers of commands: `write.patient(...)`, `write.pi(...)`."""

    class Write:
        patient = staticmethod(patient)
        pi = staticmethod(pi)
        traits = TRAITS
        hospital = HOSPITAL
        nia = NIA
        nir = NIR

    return Write
