"""Editions read from the data files: the root is whole, every other one is a set of differences from its parent.

A difference replaces what it names: one field of a segment, a whole data type, structure or event. A code list may be
replaced, or altered with `+CODE` and `-CODE`; the severity of a rule replaces those of its variants. An empty string
removes a segment, structure, event or table, a lone `-` after its number a field.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, cast

from insigne.pam.editions.grammar import parse_structure
from insigne.pam.profile import Component, Edition, Event, Field, Table

#: Every edition, oldest first within its family: identifier → data file.
FILES: Final[Mapping[str, str]] = {
    **{number: f"pamfr-{number}" for number in ("2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10.0", "2.10")},
    **{number: f"pamfr-{number}" for number in ("2.11.0", "2.11.1", "2.11.2")},
    "PAM-2.5": "pam-2.5",
    "HL7-2.5": "hl7-2.5",
    "HL7-2.5.1": "hl7-2.5.1",
    "HL7-2.4": "hl7-2.4",
    "HL7-2.3.1": "hl7-2.3.1",
}
_COUNTRIES: Final = "ISO 3166 alpha-3"
_ACTIONS = {"insert": "INSERT", "cancel": "CANCEL", "update": "UPDATE"}


class Editions(Mapping[str, Edition]):
    """Every edition by identifier, each read from its file the first time it is asked for."""

    def __getitem__(self, key: str) -> Edition:
        if key not in FILES:
            raise KeyError(key)
        return _load(key)

    def __contains__(self, key: object) -> bool:
        return key in FILES

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


@cache
def _load(key: str) -> Edition:
    return _resolve(key, _merged(key))


@cache
def _read(key: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / f"{FILES[key]}.toml").read_text(encoding="utf-8"))


def _merged(key: str) -> dict[str, Any]:
    """Return the document of an edition with its parents' under it."""
    document = _read(key)
    if "parent" not in document:
        return document
    base = _merged(document["parent"])
    merged = {**base, **document}
    for part in ("events", "locations", "macros", "structures", "types"):
        merged[part] = {**base[part], **document.get(part, {})}
    own = document.get("severities", {})
    inherited = {key: value for key, value in base["severities"].items() if key.partition(".")[0] not in own}
    merged["severities"] = {**inherited, **own}
    merged["tables"] = dict(base["tables"])
    for name, codes in document.get("tables", {}).items():
        merged["tables"][name] = _altered(base["tables"].get(name, ""), codes)
    merged["segments"] = dict(base["segments"])
    for name, lines in document.get("segments", {}).items():
        merged["segments"][name] = base["segments"].get(name, "") + "\n" + lines if lines else ""
    return merged


def _altered(base: str, change: str) -> str:
    """Apply `+CODE` and `-CODE` to a code list; any other text replaces it."""
    if not change.startswith(("+", "-")):
        return change
    codes = base.split()
    for item in change.split():
        if item[0] == "+" and item[1:] not in codes:
            codes.insert(0, item[1:])
        elif item[0] == "-":
            codes.remove(item[1:])
    return " ".join(codes)


def _resolve(key: str, document: Mapping[str, Any]) -> Edition:
    strict = frozenset(document["strict_tables"])
    return Edition(
        id=key,
        label=document["label"],
        hl7_version=document["hl7_version"],
        country=document["country"],
        extension=document["extension"],
        date=document["date"],
        reference=document["reference"],
        parent=_read(key).get("parent", ""),
        lengths=document["lengths"],
        models=document["models"],
        events={name: _event(name, text) for name, text in document["events"].items() if text},
        structures={
            name: parse_structure(text, document["macros"]) for name, text in document["structures"].items() if text
        },
        segments={name: _segment(name, lines) for name, lines in document["segments"].items() if lines},
        types={name: _type(text) for name, text in document["types"].items()},
        tables={name: _table(name, text, strict=name in strict) for name, text in document["tables"].items() if text},
        locations={name: frozenset(text.split()) for name, text in document["locations"].items()},
        severities=document["severities"],
        later=frozenset(document["later"].split()),
    )


def _event(name: str, text: str) -> Event:
    if text in ("identity", "other"):
        return Event(name, cast("Literal['identity', 'other']", text), frozenset(), frozenset())
    actions: set[str] = set()
    cancelled: set[str] = set()
    for part in text.split("|"):
        action, *events = part.split()
        actions.add(_ACTIONS[action])
        cancelled.update(events)
    return Event(name, "movement", frozenset(actions), frozenset(cancelled))


def _table(name: str, text: str, *, strict: bool) -> Table:
    if text == _COUNTRIES:
        return Table(name, frozenset(), countries=True)
    codes = text.split("|") if "|" in text else text.split()
    return Table(name, frozenset(codes) - {"*"}, open="*" in codes, strict=strict)


def _type(text: str) -> tuple[Component, ...]:
    components = []
    for part in text.split("|"):
        usage, kind, length, *table = part.split()
        components.append(Component(usage, kind, int(length), table[0] if table else ""))
    return tuple(components)


def _segment(name: str, lines: str) -> dict[int, Field]:
    """Read the fields of a segment; a later line replaces an earlier one of the same number."""
    fields: dict[int, Field] = {}
    for line in lines.splitlines():
        if not line.strip():
            continue
        if line.split()[1:] == ["-"]:
            fields.pop(int(line.split()[0]))
            continue
        try:
            number, kind, length, table, usage, most, title = line.split(None, 6)
            fields[int(number)] = Field(
                number=int(number),
                name=title,
                type=kind,
                length=int(length),
                table="" if table == "-" else table,
                usage=usage,
                most=0 if most == "*" else int(most),
            )
        except ValueError:
            raise ValueError(f"segment {name}: cannot read the line {line!r}") from None
    return dict(sorted(fields.items()))
