"""When the simulated téléservice misbehaves, and how: effects over stretches of time or of calls, read from TOML.

Pure: the clock is passed in as seconds since the start, so that a script of ten minutes is tested in none.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from insigne.insi.wire import Deviation

Outage = Literal["", "refused", "closed"]
Malformed = Literal["", "xml", "truncated", "dtd", "namespace", "oversized"]
Share = Annotated[float, Meta(ge=0, le=1)]

_TIME: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_FOREVER: Final = float("inf")


class ScriptError(ValueError):
    """A script that cannot be used. The text names the key, what is wrong and the remedy."""


class Effects(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is wrong for a while. Everything default means a téléservice in order."""

    outage: Outage = ""
    """refused: nobody listens; closed: the connection closes when a call arrives."""
    http: Literal[0, 500, 502, 503] = 0
    """Answer this HTTP status, with a page that is no SOAP."""
    siram_40: Share = 0.0
    """Share of the people asked about whose search fails upstream; the same people each time, 1 means everybody."""
    latency_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    drop: bool = False
    """Close the connection in the middle of the answer."""
    malformed: Malformed = ""
    """xml: not well formed; truncated: cut, announced as whole; dtd: a DOCTYPE with an entity; namespace: a foreign
    one; oversized: 64 MiB of blanks."""
    wrong_person: bool = False
    """Answer the identity of somebody else."""
    birth_name: str = ""
    """Only for calls about this birth name (calls by Vitale card: the name read on it)."""

    @property
    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of what is wrong."""
        return () if self is ALL_WELL else tuple(key for key in msgspec.to_builtins(self) if key != "birth_name")

    def under(self, other: "Effects") -> "Effects":
        """Return these effects with those of another added, which wins."""
        if not other.any:
            return self
        return msgspec.convert(msgspec.to_builtins(self) | msgspec.to_builtins(other), Effects)


ALL_WELL: Final = Effects()


class Step(msgspec.Struct, frozen=True):
    """Effects between two moments (seconds since the start, the end excluded) or two calls (from 1, both included)."""

    effects: Effects
    start: float = 0.0
    end: float = _FOREVER
    first_call: int = 0
    last_call: int = 0

    def holds(self, now: float, call: int) -> bool:
        """Tell whether the step applies to this call, at this moment."""
        if self.first_call:
            return self.first_call <= call <= self.last_call
        return self.start <= now < self.end


class Script(msgspec.Struct, frozen=True):
    """A script: how the téléservice is set at the start, and the steps of its bad day."""

    mode: Literal["", "production", "vendor"] = ""
    deviations: frozenset[Deviation] | None = None
    fixtures: dict[str, str] = {}
    steps: tuple[Step, ...] = ()

    def effects(self, now: float, call: int, birth_name: str) -> Effects:
        """Return the effects on a call; those of a later step are added to, and win over, those of an earlier one."""
        found = ALL_WELL
        for step in self.steps:
            if step.holds(now, call) and step.effects.birth_name in ("", birth_name):
                found = found.under(step.effects)
        return found

    def refused(self, now: float) -> bool:
        """Tell whether nobody listens at this moment."""
        return any(step.effects.outage == "refused" and step.holds(now, 0) for step in self.steps)

    def next_change(self, now: float) -> float | None:
        """Return the next moment when listening begins or ends, None when there is none."""
        moments = (m for s in self.steps if s.effects.outage == "refused" for m in (s.start, s.end))
        return min((moment for moment in moments if now < moment < _FOREVER), default=None)


def read_script(path: Path) -> Script:
    """Read a script. Raises ScriptError naming the file, and OSError."""
    try:
        return parse_script(path.read_bytes())
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from error


def parse_script(text: bytes) -> Script:
    """Read a script from TOML. Raises ScriptError."""
    try:
        document = msgspec.toml.decode(text, type=_Document)
        steps = tuple(_step(number, raw) for number, raw in enumerate(document.step, start=1))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScriptError(f"{error}; see docs/insi-simulator.md for the keys") from error
    return Script(document.mode, document.deviations, document.fixtures, steps)


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: Literal["", "production", "vendor"] = ""
    deviations: frozenset[Deviation] | None = None
    fixtures: dict[str, str] = {}
    step: tuple[dict[str, Any], ...] = ()


def _step(number: int, raw: dict[str, Any]) -> Step:
    bounds = {key: value for key, value in raw.items() if key in {"from", "to", "calls"}}
    try:
        effects = msgspec.convert({key: value for key, value in raw.items() if key not in bounds}, Effects)
        return _counted(effects, bounds) if "calls" in bounds else _timed(effects, bounds)
    except (msgspec.ValidationError, ScriptError) as error:
        raise ScriptError(f"step {number}: {error}") from error


def _timed(effects: Effects, bounds: dict[str, Any]) -> Step:
    start, end = _seconds(bounds.get("from", 0)), _seconds(bounds.get("to", _FOREVER))
    if start >= end:
        raise ScriptError(f"from {start:g} s is not before to {end:g} s")
    return Step(effects, start, end)


def _counted(effects: Effects, bounds: dict[str, Any]) -> Step:
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
