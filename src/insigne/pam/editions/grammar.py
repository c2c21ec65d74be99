"""The notation of structures in the data files, read into slots.

`MSH SFT* EVN PID PD1? (PR1 ROL*)*`: a segment alone is required once; `?` at most one, `*` any number, `+` at least
one; `-PV2` marks a segment that this edition forbids there; parentheses make a group, not nested; `$NAME` stands for a
macro.
"""

import re
from collections.abc import Mapping

from insigne.pam.profile import Slot, Structure

_MACRO = re.compile(r"\$([A-Z])\b")
_SEGMENT = r"-?[A-Z][A-Z0-9]{2}[?*+]?"
_TOKEN = re.compile(rf"\s*(?:\((?P<group>[^()]*)\)(?P<mark>[*+?]?)|(?P<segment>{_SEGMENT}))(?=\s|$)")


def parse_structure(text: str, macros: Mapping[str, str]) -> Structure:
    """Read "ADT_A01: MSH EVN …". Raises ValueError when the notation is wrong or a macro unknown."""
    identifier, colon, body = text.partition(":")
    if not colon:
        raise ValueError(f"structure {text!r}: an identifier and a colon are missing")
    body = _expand(body, macros).strip()
    slots: list[Slot] = []
    repeatable: set[int] = set()
    optional: set[int] = set()
    position = groups = 0
    while position < len(body):
        found = _TOKEN.match(body, position)
        if found is None:
            raise ValueError(f"structure {identifier}: cannot read {body[position : position + 20]!r}")
        position = found.end()
        if found["segment"]:
            slots.append(_slot(found["segment"]))
            continue
        groups += 1
        if found["mark"] in ("*", "+"):
            repeatable.add(groups)
        if found["mark"] in ("*", "?"):
            optional.add(groups)
        for index, token in enumerate(found["group"].split()):
            slots.append(_slot(token, group=groups, opens_group=index == 0))
    return Structure(identifier.strip(), tuple(slots), frozenset(repeatable), frozenset(optional))


def _expand(text: str, macros: Mapping[str, str]) -> str:
    def meaning(found: re.Match[str]) -> str:
        try:
            return _expand(macros[found[1]], macros)
        except KeyError:
            raise ValueError(f"structure: ${found[1]} is not a macro; known: {', '.join(sorted(macros))}") from None

    return _MACRO.sub(meaning, text)


def _slot(token: str, *, group: int = 0, opens_group: bool = False) -> Slot:
    name, mark = (token[:-1], token[-1]) if token[-1] in "?*+" else (token, "")
    forbidden = name.startswith("-")
    return Slot(
        segment=name.lstrip("-"),
        required=not forbidden and mark in ("", "+"),
        repeatable=mark in ("*", "+"),
        forbidden=forbidden,
        group=group,
        opens_group=opens_group,
    )
