"""Where something is in a message, in the numbering of HL7 (HL7 v2.5 chapter 2, ERR-2 and data type ERL)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

_PATH = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})"
    r"(?:\((?P<occurrence>[1-9]\d{0,5})\))?"
    r"(?:-(?P<field>[1-9]\d{0,5})"
    r"(?:\[(?P<repetition>[1-9]\d{0,5})\])?"
    r"(?:\.(?P<component>[1-9]\d{0,5})"
    r"(?:\.(?P<subcomponent>[1-9]\d{0,5}))?)?)?"
)


@dataclass(frozen=True, slots=True)
class Location:
    """A segment, or something inside it. Every number starts at 1; None means "not given"."""

    segment: str
    occurrence: int = 1
    field: int | None = None
    repetition: int | None = None
    component: int | None = None
    subcomponent: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the form written by `str()`, such as `PID-3[2].4.1` or `ZBE(2)-1`.

        Raises ValueError when `text` has another form.
        """
        match = _PATH.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an HL7 location; write it as PID-3[2].5, ZBE(2)-1 or MSH-9.2")
        found = match.groupdict()
        return cls(
            segment=found["segment"],
            occurrence=int(found["occurrence"] or 1),
            field=_number(found["field"]),
            repetition=_number(found["repetition"]),
            component=_number(found["component"]),
            subcomponent=_number(found["subcomponent"]),
        )

    def __str__(self) -> str:
        parts = [self.segment]
        if self.occurrence > 1:
            parts.append(f"({self.occurrence})")
        if self.field is not None:
            parts.append(f"-{self.field}")
            if self.repetition is not None:
                parts.append(f"[{self.repetition}]")
            if self.component is not None:
                parts.append(f".{self.component}")
                if self.subcomponent is not None:
                    parts.append(f".{self.subcomponent}")
        return "".join(parts)

    def erl(self, separator: str = "^") -> str:
        """Write this location as an ERL: segment, sequence, field, repetition, component, sub-component.

        A component is always preceded by its repetition, the first one when none is given, as in `MSH^1^9^1^1`.
        """
        repetition = self.repetition
        if repetition is None and self.component is not None:
            repetition = 1
        parts = [self.segment, str(self.occurrence)]
        for number in (self.field, repetition, self.component, self.subcomponent):
            if number is None:
                break
            parts.append(str(number))
        return separator.join(parts)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


@lru_cache(maxsize=1024)
def located(path: str) -> Location:
    """Return `Location.parse(path)`, remembered: the same few paths are asked of every message."""
    return Location.parse(path)
