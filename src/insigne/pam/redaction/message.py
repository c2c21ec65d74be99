"""One HL7 message without the people in it, by what the edition says of each field."""

import re
from typing import Final

from insigne.hl7 import CharsetPolicy, Delimiters, Hl7Error, Message
from insigne.pam.profile import Component, Edition, Table
from insigne.pam.redaction.standins import StandIns

_LINE: Final = re.compile(r"[^\r\n]+")
_HEADERS: Final = frozenset({"MSH", "FHS", "BHS"})
_TRIGGER: Final = re.compile(r"[A-Z]\d{2}")
_NULL: Final = '""'
#: Fields kept, beside the codes of tables: what tells which message, event or place is meant, and when it was written.
_KEPT: Final = frozenset({"MSA-1", "MSA-2", "MSA-4", "ERR-1", "ERR-2", "EVN-2", "EVN-3"})
_TRIGGERS: Final = frozenset({"EVN-1", "ZBE-6"})
#: What the author of an acknowledgement wrote.
_TEXTS: Final = frozenset({"MSA-3", "ERR-6", "ERR-7", "ERR-8"})
_ERROR_CODES: Final = frozenset({"ERR-3", "ERR-5", "MSA-6"})
_CODE: Final = re.compile(r"[A-Z]{0,4}\d{1,4}(?:\.[a-z-]+)?")
_WHERE: Final = re.compile(r"[A-Z0-9]{0,3}|\d{1,3}")
_CODED: Final = frozenset({"CE", "CWE", "CNE"})
#: Bytes of a message in an unknown character set that are kept as they are.
_POLICY: Final = CharsetPolicy(fallback="iso8859-1")


def redact_message(raw: bytes, edition: Edition, people: StandIns, *, ours: bool = False) -> bytes | None:
    """The message with stand-ins, in its own character set and separators; None when it cannot be read.

    `ours`: we wrote it, so that its texts name nobody by themselves.
    """
    try:
        message = Message.parse(raw, _POLICY)
    except Hl7Error:
        return None
    writer = _Writer(message.delimiters, edition, people, ours=ours)
    text = _LINE.sub(lambda found: writer.segment(found[0]), message.text)
    return text.encode(message.charset, "replace")


class _Writer:
    """Writes the segments of one message anew."""

    def __init__(self, delimiters: Delimiters, edition: Edition, people: StandIns, *, ours: bool) -> None:
        self._delimiters = delimiters
        self._edition = edition
        self._people = people
        self._ours = ours

    def segment(self, line: str) -> str:
        """One segment."""
        delimiters = self._delimiters
        name, *fields = line.split(delimiters.field)
        if name in _HEADERS:
            return delimiters.field.join((name, *(self._header(n, field) for n, field in enumerate(fields, 2))))
        known = self._edition.segments.get(name, {})
        written = [name if name.isalnum() and len(name) == 3 else self._leaf(name)]
        for number, text in enumerate(fields, 1):
            field = known.get(number)
            kind, table = (field.type, field.table) if field is not None else ("", "")
            written.append(self._field(f"{name}-{number}", text, kind, table))
        return delimiters.field.join(written)

    def _header(self, number: int, text: str) -> str:
        return self._leaf(text) if number == 8 else text  # MSH-8 is what a site wants: a password, a user

    def _field(self, path: str, text: str, kind: str, table: str) -> str:
        if not text or text == _NULL:
            return text
        if (path in _KEPT and self._is_place_or_time(path, text)) or (path in _TRIGGERS and _TRIGGER.fullmatch(text)):
            return text
        if path in _TEXTS:
            return self._leaf(text, told=True)
        delimiters = self._delimiters
        repetitions = [self._repetition(path, repetition, kind, table) for repetition in delimiters.repetitions(text)]
        return (delimiters.repetition or "").join(repetitions)

    def _is_place_or_time(self, path: str, text: str) -> bool:
        if not path.startswith("ERR"):
            return True
        parts = re.split(r"[\W_]+", text)
        return all(_WHERE.fullmatch(part) for part in parts)

    def _repetition(self, path: str, text: str, kind: str, table: str) -> str:
        delimiters = self._delimiters
        components = self._edition.types.get(kind, ())
        written = []
        for rank, part in enumerate(delimiters.components(text)):
            if path in _ERROR_CODES:
                written.append(self._error_code(rank, part))
            else:
                one = self._component(rank, kind, table, components)
                issuer = "HD" in (kind, one[0]) or (kind == "EI" and rank > 0)
                written.append(self._subcomponents(part, one, issuer=issuer))
        return (delimiters.component or "").join(written)

    @staticmethod
    def _component(rank: int, kind: str, table: str, components: tuple[Component, ...]) -> tuple[str, str]:
        """The type and the table of a component."""
        if rank == 0 and (kind in _CODED or not components):
            return kind, table
        if rank < len(components):
            return components[rank].type, components[rank].table
        return "", ""

    def _subcomponents(self, text: str, component: tuple[str, str], *, issuer: bool) -> str:
        delimiters = self._delimiters
        written = []
        for rank, leaf in enumerate(delimiters.subcomponents(text)):
            of, table = component if rank == 0 else ("", "")
            written.append(self._issuer(leaf) if issuer else self._value(leaf, of, table))
        return (delimiters.subcomponent or "").join(written)

    def _value(self, text: str, kind: str, table: str) -> str:
        """One value, kept when it is a number of order or a code of a table."""
        if not text or text == _NULL:
            return text
        if kind == "SI" and text.isdigit() and len(text) <= 4:
            return text
        found = self._edition.tables.get(table)
        return text if found is not None and _lists(found, text) else self._leaf(text)

    def _issuer(self, text: str) -> str:
        """A part of an authority, unless it bears the name of somebody."""
        return self._leaf(text) if self._people.known(self._delimiters.unescape(text)) else text

    def _error_code(self, rank: int, text: str) -> str:
        return text if rank in {0, 2, 3} and _CODE.fullmatch(text) else self._leaf(text, told=True)

    def _leaf(self, text: str, *, told: bool = False) -> str:
        delimiters, people = self._delimiters, self._people
        plain = delimiters.unescape(text)
        replaced = (people.scrub(plain) if self._ours else people.foreign(plain)) if told else people.of(plain)
        return text if replaced == plain else delimiters.escape(replaced)


def _lists(table: Table, code: str) -> bool:
    """Whether a code is one of those a table lists."""
    return code in table.codes or (table.countries and table.accepts(code))
