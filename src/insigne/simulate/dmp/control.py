"""`/control`: change the simulated DMP at run time and see the calls it received. For tests; no real service.

- GET `/control`: the state. PATCH `/control`: change the keys given (`Change`), answers the state;
- GET `/control/calls[?criteria=…&operation=…]`: the calls, DELETE: forget them;
- DELETE `/control/documents`: forget every document.
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from insigne.simulate.control import ServiceControl, check_effects
from insigne.simulate.dmp.engine import Engine
from insigne.simulate.dmp.script import ALL_WELL, Effects, Patients, Site
from insigne.simulate.https import HttpReply
from insigne.simulate.insi.national import Mode


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; keys left out stay. `clock`: seconds since the start, for scripts; `effects`: {} for none."""

    mode: Mode | UnsetType = UNSET
    site: Site | UnsetType = UNSET
    patients: Patients | UnsetType = UNSET
    effects: Effects | UnsetType = UNSET
    clock: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class State(msgspec.Struct, frozen=True):
    """How the DMP is set. `in_force` are the effects on the next call, whoever it is about."""

    mode: Mode
    site: Site
    patients: Patients
    effects: Effects
    in_force: tuple[str, ...]
    clock: float
    calls: int
    people: int
    documents: dict[str, int]


class Control(ServiceControl[Change]):
    """Answers `/control`. `now` reads the script's time, `set_clock` makes it jump."""

    form = Change
    paths = ", DELETE /control/documents"

    def __init__(self, engine: Engine, now: Callable[[], float], set_clock: Callable[[float], None]) -> None:
        super().__init__(engine.calls)
        self._engine = engine
        self._now = now
        self._set_clock = set_clock

    def more(self, method: str, path: str) -> HttpReply | None:
        """Forget every document."""
        if (method, path) != ("DELETE", "/documents"):
            return None
        self._engine.store.clear()
        return HttpReply(204)

    def state(self) -> State:
        """Return how the DMP is set."""
        engine = self._engine
        return State(
            engine.people.mode,
            engine.behaviour.site,
            engine.people.patients,
            engine.behaviour.extra,
            engine.effects().names(),
            round(self._now(), 3),
            engine.calls.count,
            len(engine.people.base),
            engine.store.counts(),
        )

    def change(self, change: Change) -> None:
        """Change what is given. Raises ValueError, and changes nothing, for what cannot be."""
        engine = self._engine
        if change.effects is not UNSET:
            check_effects(change.effects)
        if change.mode is not UNSET:
            engine.people.mode = change.mode
        if change.site is not UNSET:
            engine.behaviour.site = change.site
        if change.patients is not UNSET:
            engine.people.patients = change.patients
        if change.effects is not UNSET:
            engine.behaviour.extra = change.effects if change.effects.any else ALL_WELL
        if change.clock is not UNSET:
            self._set_clock(change.clock)
