"""`/control`: change the simulated téléservice at run time and see the calls it received. For tests; no real service.

- GET `/control`: the state. PATCH `/control`: change the keys given (`Change`), answers the state;
- GET `/control/calls[?criteria=…&operation=…]`: the calls, DELETE: forget them;
- GET `/control/people`: the test people, what to ask and what to expect.
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from insigne.insi.wire import Deviation
from insigne.simulate.control import ServiceControl, check_effects
from insigne.simulate.https import HttpReply, json_reply
from insigne.simulate.insi.engine import Engine
from insigne.simulate.insi.national import Mode
from insigne.simulate.insi.people import TestPeople
from insigne.simulate.insi.script import ALL_WELL, Effects
from insigne.simulate.insi.verification import Verification


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; keys left out stay. `clock`: seconds since the start, for scripts; `effects`: {} for none."""

    mode: Mode | UnsetType = UNSET
    deviations: frozenset[Deviation] | UnsetType | None = UNSET
    fixtures: dict[str, str] | UnsetType = UNSET
    effects: Effects | UnsetType = UNSET
    idams: frozenset[str] | UnsetType = UNSET
    clock: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    batch_seconds: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class State(msgspec.Struct, frozen=True):
    """How the téléservice is set. `in_force` are the effects on the next call, whoever it is about."""

    mode: Mode
    deviations: tuple[str, ...]
    fixtures: dict[str, str]
    effects: Effects
    in_force: tuple[str, ...]
    idams: tuple[str, ...]
    clock: float
    batch_seconds: float
    calls: int
    people: int


class Control(ServiceControl[Change]):
    """Answers `/control`. `set_clock` makes the script's time jump."""

    form = Change
    paths = ", GET /control/people"

    def __init__(
        self, engine: Engine, people: TestPeople, verification: Verification, set_clock: Callable[[float], None]
    ) -> None:
        super().__init__(engine.calls)
        self._engine = engine
        self._people = people
        self._verification = verification
        self._set_clock = set_clock

    def more(self, method: str, path: str) -> HttpReply | None:
        """List the test people."""
        if (method, path) != ("GET", "/people"):
            return None
        return json_reply({"people": self._people.listing(), "unanswered": self._people.unanswered})

    def state(self) -> State:
        """Return how the téléservice is set."""
        engine, behaviour = self._engine, self._engine.behaviour
        return State(
            behaviour.mode,
            tuple(sorted(behaviour.shown_deviations)),
            behaviour.fixtures,
            behaviour.extra,
            engine.effects().names(),
            tuple(sorted(behaviour.idams)),
            round(engine.now(), 3),
            self._verification.batch_seconds,
            engine.calls.count,
            len(engine.base),
        )

    def change(self, change: Change) -> None:
        """Change what is given. Raises ValueError, and changes nothing, for what cannot be."""
        behaviour = self._engine.behaviour
        if change.fixtures is not UNSET:
            self._people.check_fixtures(change.fixtures)
        if change.effects is not UNSET:
            check_effects(change.effects)
        if change.mode is not UNSET:
            behaviour.mode = change.mode
        if change.deviations is not UNSET:
            behaviour.deviations = change.deviations
        if change.fixtures is not UNSET:
            behaviour.fixtures = change.fixtures
        if change.effects is not UNSET:
            behaviour.extra = change.effects if change.effects.any else ALL_WELL
        if change.idams is not UNSET:
            behaviour.idams = change.idams
        if change.batch_seconds is not UNSET:
            self._verification.batch_seconds = change.batch_seconds
        if change.clock is not UNSET:
            self._set_clock(change.clock)
