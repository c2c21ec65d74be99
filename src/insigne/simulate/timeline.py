"""When a simulated service misbehaves, and how: effects over stretches of time or of calls, read from TOML.

Pure: the clock is passed in as seconds since the start, so that a script of ten minutes is tested in none. Each service
adds effects of its own to those of `Disturbance`.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar

import msgspec
from msgspec import Meta

Outage = Literal["", "refused", "closed"]
Malformed = Literal["", "xml", "truncated", "dtd", "namespace", "oversized"]

_TIME: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_FOREVER: Final = float("inf")


class ScriptError(ValueError):
    """A script that cannot be used. The text names the key, what is wrong and the remedy."""


class Disturbance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may be wrong with any service of SOAP for a while. Everything default means a service in order."""

    selectors: ClassVar[frozenset[str]] = frozenset()
    """Fields that say which calls are concerned, and are no effect."""

    outage: Outage = ""
    """refused: nobody listens; closed: the connection closes when a call arrives."""
    http: Literal[0, 500, 502, 503] = 0
    """Answer this HTTP status, with a page that is no SOAP."""
    latency_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    drop: bool = False
    """Close the connection in the middle of the answer."""
    malformed: Malformed = ""
    """xml: not well formed; truncated: cut, announced as whole; dtd: a DOCTYPE with an entity; namespace: a foreign
    one; oversized: 64 MiB of blanks."""

    @property
    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of what is wrong."""
        return tuple(key for key in msgspec.to_builtins(self) if key not in self.selectors)

    def under(self, other: Self) -> Self:
        """Return these effects with those of another added, which wins."""
        if not other.any:
            return self
        return msgspec.convert(msgspec.to_builtins(self) | msgspec.to_builtins(other), type(self))


Effect = TypeVar("Effect", bound=Disturbance)


class Step(msgspec.Struct, Generic[Effect], frozen=True):
    """Effects between two moments (seconds since the start, the end excluded) or two calls (from 1, both included)."""

    effects: Effect
    start: float = 0.0
    end: float = _FOREVER
    first_call: int = 0
    last_call: int = 0

    def holds(self, now: float, call: int) -> bool:
        """Tell whether the step applies to this call, at this moment."""
        if self.first_call:
            return self.first_call <= call <= self.last_call
        return self.start <= now < self.end


def in_force(
    steps: Iterable[Step[Effect]], well: Effect, now: float, call: int, concerns: Callable[[Effect], bool]
) -> Effect:
    """Return the effects on a call; those of a later step are added to, and win over, those of an earlier one.

    `well`: no effect at all. `concerns` tells whether effects are about this very call.
    """
    found = well
    for step in steps:
        if step.holds(now, call) and concerns(step.effects):
            found = found.under(step.effects)
    return found


def refused(steps: Iterable[Step[Effect]], now: float) -> bool:
    """Tell whether nobody listens at this moment."""
    return any(step.effects.outage == "refused" and step.holds(now, 0) for step in steps)


def next_change(steps: Iterable[Step[Effect]], now: float) -> float | None:
    """Return the next moment when listening begins or ends, None when there is none."""
    moments = (m for s in steps if s.effects.outage == "refused" for m in (s.start, s.end))
    return min((moment for moment in moments if now < moment < _FOREVER), default=None)


Document = TypeVar("Document")


def read_toml(path: Path, parse: Callable[[bytes], Document]) -> Document:
    """Read a script with its parser. Raises ScriptError naming the file, and OSError."""
    try:
        return parse(path.read_bytes())
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from error


def decode_toml(text: bytes, form: type[Document], page: str) -> Document:
    """Decode a script; `page` of the documentation has its keys. Raises ScriptError."""
    try:
        return msgspec.toml.decode(text, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScriptError(f"{error}; see {page} for the keys") from error


def steps_of(tables: Iterable[dict[str, Any]], form: type[Effect], page: str) -> tuple[Step[Effect], ...]:
    """Read the `[[step]]` tables of a script. Raises ScriptError."""
    return tuple(_step(number, raw, form, page) for number, raw in enumerate(tables, start=1))


def _step(number: int, raw: dict[str, Any], form: type[Effect], page: str) -> Step[Effect]:
    bounds = {key: value for key, value in raw.items() if key in {"from", "to", "calls"}}
    try:
        effects = msgspec.convert({key: value for key, value in raw.items() if key not in bounds}, form)
        return _counted(effects, bounds) if "calls" in bounds else _timed(effects, bounds)
    except (msgspec.ValidationError, ScriptError) as error:
        raise ScriptError(f"step {number}: {error}; see {page} for the keys") from error


def _timed(effects: Effect, bounds: dict[str, Any]) -> Step[Effect]:
    start, end = _seconds(bounds.get("from", 0)), _seconds(bounds.get("to", _FOREVER))
    if start >= end:
        raise ScriptError(f"from {start:g} s is not before to {end:g} s")
    return Step(effects, start, end)


def _counted(effects: Effect, bounds: dict[str, Any]) -> Step[Effect]:
    first, last = msgspec.convert(bounds["calls"], tuple[int, int])
    if len(bounds) > 1 or not 1 <= first <= last:
        raise ScriptError("calls is [first, last], from 1, without from nor to")
    if effects.outage == "refused":
        raise ScriptError("a refused connection makes no call to count: use from and to, or outage = 'closed'")
    return Step(effects, first_call=first, last_call=last)


def _seconds(value: object) -> float:
    """Read a moment: a number of seconds, or text like 90s, 2m, 1h30m."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _TIME.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise ScriptError(f"{value!r} is not a moment; write seconds, or 90s, 2m, 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
