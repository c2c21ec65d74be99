"""The site's own changes to what is sent: fields dropped or constant, codes replaced, authorities renamed."""

from collections.abc import Sequence
from typing import Final

from insigne.hl7.delimiters import STANDARD
from insigne.hl7.location import Location
from insigne.pam.encode.settings import FieldRule
from insigne.registry.values import Authority

#: What makes the message what it is: identifiers are filtered and renamed, never rewritten.
PROTECTED: Final = frozenset(
    {
        *("MSH-1", "MSH-2", "MSH-7", "MSH-9", "MSH-10", "MSH-12", "MSH-18"),
        *("PID-3", "PID-32", "MRG-1", "MRG-3", "ZBE-1", "ZFD-4"),
    }
)


class CompiledRule:
    """A rule with its place read once."""

    __slots__ = ("_place", "_rule")

    def __init__(self, rule: FieldRule) -> None:
        try:
            place = Location.parse(rule.path)
        except ValueError as error:
            raise ValueError(f"rules: path: {error}") from None
        if place.repetition is not None or place.subcomponent is not None or place.occurrence != 1:
            raise ValueError(
                f"rules: path {rule.path!r}: name a segment, a field or a component; it applies to each one"
            )
        if place.field is None and rule.action != "drop":
            raise ValueError(f"rules: path {rule.path!r}: {rule.action} needs a field, such as PV1-10")
        whole = f"{place.segment}-{place.field}"
        if whole in PROTECTED or (place.field is None and place.segment in {"MSH", "PID", "MRG", "EVN"}):
            raise ValueError(
                f"rules: path {rule.path!r}: identifiers and headers are not changed by a rule; use authorities, "
                "identifier_types or rename-authority"
            )
        self._rule = rule
        self._place = place

    def apply(self, lines: list[str], trigger: str) -> list[str]:
        """The segments once the rule is applied."""
        rule, place = self._rule, self._place
        if rule.events and trigger not in rule.events:
            return lines
        if place.field is None:
            return [line for line in lines if not line.startswith(place.segment)]
        head = place.segment + "|"
        return [self._changed(line, place.field) if line.startswith(head) else line for line in lines]

    def _changed(self, line: str, field: int) -> str:
        fields = line.split("|")
        rank = field - (self._place.segment == "MSH")
        if rank >= len(fields):
            if self._rule.action != "constant":
                return line
            fields += [""] * (rank + 1 - len(fields))
        fields[rank] = self._field(fields[rank])
        return "|".join(fields).rstrip("|")

    def _field(self, raw: str) -> str:
        component = self._place.component
        if component is None and self._rule.action != "map":
            return self._value(raw)
        if not raw and self._rule.action != "constant":
            return raw
        return "~".join(self._repetition(one, component or 1) for one in raw.split("~")).strip("~")

    def _repetition(self, raw: str, component: int) -> str:
        parts = raw.split("^")
        parts += [""] * (component - len(parts))
        parts[component - 1] = self._value(parts[component - 1])
        return "^".join(parts).rstrip("^")

    def _value(self, raw: str) -> str:
        rule = self._rule
        if rule.action == "drop":
            return ""
        if rule.action == "constant":
            return STANDARD.escape(rule.value)
        known = STANDARD.unescape(raw)
        if not known or known == '""':
            return raw
        return STANDARD.escape(rule.codes.get(known, rule.value or known))


def compiled(rules: Sequence[FieldRule]) -> tuple[CompiledRule, ...]:
    """The rules that change fields. Raises ValueError for one without a usable path."""
    return tuple(CompiledRule(rule) for rule in rules if rule.action != "rename-authority")


def renamed(rules: Sequence[FieldRule]) -> dict[str, Authority]:
    """The authorities to write otherwise, by universal id or namespace. Raises ValueError for one that names none."""
    found = {}
    for rule in rules:
        if rule.action != "rename-authority":
            continue
        if not rule.authority or not (rule.namespace or rule.universal_id):
            raise ValueError("rules: rename-authority needs authority, and namespace or universal_id")
        found[rule.authority] = Authority(rule.namespace, rule.universal_id, rule.universal_id_type)
    return found
