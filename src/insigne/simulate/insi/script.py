"""What may be wrong with the simulated téléservice, and its script; see `insigne.simulate.timeline`."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from insigne.insi.wire import Deviation
from insigne.simulate.timeline import Disturbance, Step, decode_toml, in_force, read_toml, steps_of

Share = Annotated[float, Meta(ge=0, le=1)]

_PAGE: Final = "docs/insi-simulator.md"


class Effects(Disturbance, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is wrong for a while. Everything default means a téléservice in order."""

    selectors: ClassVar[frozenset[str]] = frozenset({"birth_name"})

    siram_40: Share = 0.0
    """Share of the people asked about whose search fails upstream; the same people each time, 1 means everybody."""
    wrong_person: bool = False
    """Answer the identity of somebody else."""
    birth_name: str = ""
    """Only for calls about this birth name (calls by Vitale card: the name read on it)."""


ALL_WELL: Final = Effects()


class Script(msgspec.Struct, frozen=True):
    """A script: how the téléservice is set at the start, and the steps of its bad day."""

    mode: Literal["", "production", "vendor"] = ""
    deviations: frozenset[Deviation] | None = None
    fixtures: dict[str, str] = {}
    steps: tuple[Step[Effects], ...] = ()

    def effects(self, now: float, call: int, birth_name: str) -> Effects:
        """Return the effects on a call about this birth name."""
        return in_force(self.steps, ALL_WELL, now, call, lambda effects: effects.birth_name in ("", birth_name))


def read_script(path: Path) -> Script:
    """Read a script. Raises ScriptError naming the file, and OSError."""
    return read_toml(path, parse_script)


def parse_script(text: bytes) -> Script:
    """Read a script from TOML. Raises ScriptError."""
    document = decode_toml(text, _Document, _PAGE)
    return Script(document.mode, document.deviations, document.fixtures, steps_of(document.step, Effects, _PAGE))


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: Literal["", "production", "vendor"] = ""
    deviations: frozenset[Deviation] | None = None
    fixtures: dict[str, str] = {}
    step: tuple[dict[str, Any], ...] = ()
