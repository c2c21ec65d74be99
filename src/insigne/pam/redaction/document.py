"""An event or a notice, as JSON, without the people in it: what is not known to be harmless is replaced."""

import re
from typing import Any, Final

from insigne.pam.redaction.standins import StandIns

#: Our own ids (`exchange.ids`), our own times, trigger events, streams: they tell nothing of anybody.
_OURS: Final = re.compile(
    r"01[0-9a-f]{24}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z|[AZ]\d{2}|identity|encounter|work-item"
)
#: Keys of codes, and what a code looks like.
_CODES: Final = frozenset(
    {
        *("type", "use", "kind", "id_type", "sex", "trigger", "action", "nature", "patient_class", "attributes"),
        *("reliability", "verdict", "mode", "multiple_birth", "death_indicator", "event", "cause_kind", "cleared"),
        *("country", "birth_country"),
    }
)
_CODE: Final = re.compile(r"[A-Z][A-Z0-9-]{0,7}|[a-z][a-z_-]*")
#: Keys of authorities, which are institutions.
_ISSUERS: Final = frozenset({"namespace", "universal_id", "universal_id_type", "oid", "domain", "last_update_facility"})
#: Keys of what a person wrote.
_WORDS: Final = frozenset({"reason", "cause", "outcome"})


def redact_document(value: Any, people: StandIns, key: str = "") -> Any:
    """The document with stand-ins for its texts. Numbers and truth values stay; `key` is that of the value."""
    match value:
        case dict():
            return {name: redact_document(inner, people, name) for name, inner in value.items()}
        case list():
            return [redact_document(inner, people, key) for inner in value]
        case str():
            return _text(value, people, key)
        case _:
            return value


def _text(value: str, people: StandIns, key: str) -> str:
    if _OURS.fullmatch(value):
        return value
    if key in _WORDS:
        return people.foreign(value)
    harmless = key in _ISSUERS or (key in _CODES and _CODE.fullmatch(value))
    return value if harmless and not people.known(value) else people.of(value)
