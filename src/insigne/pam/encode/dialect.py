"""A subscription resolved: what encoding needs of it, looked up once."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from insigne.hl7 import CharsetPolicy
from insigne.pam.editions import Edition, Structure, edition
from insigne.pam.encode.datatypes import escape
from insigne.pam.encode.relay import Relay
from insigne.pam.encode.rules import compiled, renamed
from insigne.pam.encode.settings import SubscriptionSettings, Unsupported
from insigne.pam.rules.context import ValidationContext
from insigne.registry.settings import AuthoritySettings
from insigne.registry.values import Authority, Identifier

#: Charset of the settings → (MSH-18, Python codec).
CHARSETS: Final[Mapping[str, tuple[str, str]]] = {
    "utf-8": ("UNICODE UTF-8", "utf-8"),
    "iso8859-1": ("8859/1", "iso8859-1"),
    "iso8859-15": ("8859/15", "iso8859-15"),
    "ascii": ("", "ascii"),
}
#: Events that a receiver may not be deaf to: what they say must be done by hand when it does not take them.
VITAL: Final = frozenset({"A40", "A47", "A44", "A49"})
_NEEDS_ITS_EVENT: Final = VITAL | {"A37"}
_CODED: Final = frozenset({"IS", "ID", "CE", "CWE", "CNE"})
_OID = re.compile(r"[0-2](?:\.\d+)+")
_FINESS = re.compile(r"\d{9}|2[AB]\d{7}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MOST_NAMES: Final = 4096

#: Codes that a field may hold; None: anything. A field that is absent from the map is not sent.
Fields = Mapping[int, frozenset[str] | None]


class Dialect:
    """How one receiver is written to. Make it with `dialect_of`, once: it remembers what it has rendered.

    `edition` is that of the receiver, `codec` the Python codec of its character set, `context` what its messages are
    validated under.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        name: str,
        environment: Literal["production", "test"],
        authorities: Sequence[AuthoritySettings],
    ) -> None:
        self.settings = settings
        self.name = name
        self.edition: Edition = edition(settings.edition)
        self.declared, self.codec = CHARSETS[settings.charset]
        self.charset_policy = CharsetPolicy(real=self.codec if self.codec != "ascii" else None)
        self.context = ValidationContext(environment=environment)
        self.rules = compiled(settings.rules)
        self._mapped = frozenset(rule.path.partition(".")[0] for rule in settings.rules if rule.action == "map")
        self.relay = Relay(settings.relay_segments)
        self.number_first = self.edition.hl7_version in {"2.3.1", "2.4"}
        self._zone = _zone(settings.time_zone)
        self._fields: dict[str, Fields | None] = {}
        self._segments: dict[str, frozenset[str]] = {}
        self._names: dict[Authority, str] = {}
        self._known = _known(authorities)
        self._renamed = renamed(settings.rules)
        self._visible = frozenset(settings.authorities)
        self._types = frozenset(settings.identifier_types)
        self._head = self._header_start(settings)
        self._tail = self._header_end()
        self._parties = [text.partition("^")[0] for text in (settings.application, settings.facility)]
        self.shows_ins = settings.ins and "INS" not in self.edition.later and self.shows_type("INS")
        self.has_corrected_date = 4 in (self.fields("ZFD") or {})

    # --- the header

    def _header_start(self, settings: SubscriptionSettings) -> str:
        application = settings.application or self.name or "INSIGNE"
        parties = (
            settings.sending_application,
            settings.sending_facility,
            application,
            settings.facility or application,
        )
        return "|".join(("MSH", "^~\\&", *map(_hd, parties)))

    def _header_end(self) -> str:
        release = self.edition
        version = f"{release.hl7_version}^{release.country}^{release.extension}".rstrip("^")
        number = release.extension
        profile = f"||{number}^IHE_FRANCE-{number}-PAM" if number == "2.11" else ""
        return f"{self.settings.processing_id}|{version}|||||FRA|{self.declared}|FR{profile}"

    def header(self, trigger: str, control_id: str, time: str) -> str:
        """MSH. `time` is RFC 3339 with zone."""
        structure = self.structure(trigger).id
        moment = self.moment(time)
        return f"{self._head}|{moment}||ADT^{trigger}^{structure}|{escape(control_id)}|{self._tail}"

    def moment(self, time: str) -> str:
        """An RFC 3339 time as YYYYMMDDHHMMSS+ZZZZ in the receiver's zone."""
        text = datetime.fromisoformat(time).astimezone(self._zone).isoformat(timespec="seconds")
        return "".join((text[:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:22], text[23:25]))

    # --- what its edition has

    def structure(self, trigger: str) -> Structure:
        """The structure of an event that the edition has."""
        return self.edition.structures[trigger]

    def segments(self, trigger: str) -> frozenset[str]:
        """The names of the segments that an event may have."""
        known = self._segments.get(trigger)
        if known is None:
            slots = self.structure(trigger).slots
            known = self._segments[trigger] = frozenset(
                slot.segment for slot in slots if not slot.forbidden and slot.segment in self.edition.segments
            )
        return known

    def fields(self, segment: str) -> Fields | None:
        """The fields of a segment that may be sent, each with its codes; None for a segment that the edition lacks."""
        if segment not in self._fields:
            self._fields[segment] = self._read_fields(segment)
        return self._fields[segment]

    def _read_fields(self, segment: str) -> Fields | None:
        known = self.edition.segments.get(segment)
        if known is None:
            return None
        found: dict[int, frozenset[str] | None] = {}
        for number, field in known.items():
            if field.usage == "X":
                continue
            single = field.type in _CODED and field.most == 1 and field.usage != "R"
            table = self.edition.tables.get(field.table) if single else None
            mapped = f"{segment}-{number}" in self._mapped
            found[number] = None if mapped or table is None or table.open or table.countries else table.codes
        return found

    # --- what it is told

    def said(self, author: str) -> bool:
        """Whether the receiver said it itself and does not want to hear it again. `author` is that of a notice."""
        application, _, facility = author.partition("|")
        known, place = self._parties
        return bool(known) and application == known and place in {"", facility} and not self.settings.echo

    def takes(self, trigger: str) -> bool:
        """Whether the receiver wants an event and its edition has it."""
        settings = self.settings
        if trigger in settings.unsupported or (settings.events and trigger not in settings.events):
            return False
        return trigger in self.edition.structures

    def instead(self, trigger: str, *, vital: bool) -> Unsupported:
        """What to do with an event that the receiver does not take; `vital`: it would misunderstand what follows."""
        chosen = self.settings.unsupported.get(trigger)
        if chosen is not None:
            return chosen
        if trigger == "A28" and self.takes("A31"):
            return "a31"
        return "hold" if vital or trigger in VITAL else "drop"

    # --- what it sees

    def shows_type(self, kind: str) -> bool:
        """Whether it may see identifiers of a type (table 0203)."""
        return not self._types or kind in self._types

    def shows(self, identifier: Identifier) -> bool:
        """Whether it may see an identifier, which must have a type and an authority to be written."""
        kind, issuer = identifier.type, identifier.authority
        if not kind or not issuer.key or kind in self.edition.later or not self.shows_type(kind):
            return False
        return not self._visible or issuer.key in self._visible or issuer.namespace in self._visible

    # --- authorities

    def authority(self, authority: Authority) -> str:
        """An authority as HD-1, HD-2 and HD-3 in sub-components; "" for one that says nothing."""
        known = self._names.get(authority)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            known = self._names[authority] = self._written(authority)
        return known

    def _written(self, authority: Authority) -> str:
        issuer = self._renamed.get(authority.universal_id) or self._renamed.get(authority.namespace) or authority
        site = self._known.get(issuer.universal_id) or self._known.get(issuer.namespace) or Authority()
        universal = issuer.universal_id or site.universal_id
        namespace = issuer.namespace or site.namespace or universal
        if not namespace:
            return ""
        kind = universal_type(universal, issuer.universal_id_type or site.universal_id_type)
        return "&".join(map(escape, (namespace, universal, kind))).rstrip("&")


def universal_type(universal_id: str, said: str) -> str:
    """HD-3 for a universal id (table 0301): told by its shape, what was said of it deciding between M and N."""
    if not universal_id:
        return ""
    if _OID.fullmatch(universal_id):
        return "ISO"
    if _FINESS.fullmatch(universal_id):
        return said if said in {"M", "N"} else "N"
    if _UUID.fullmatch(universal_id):
        return "UUID"
    return said or ("DNS" if "." in universal_id else "L")


def _known(authorities: Sequence[AuthoritySettings]) -> dict[str, Authority]:
    """The site's authorities by any of their names; the OID is the universal id when there are both."""
    found: dict[str, Authority] = {}
    for one in authorities:
        written = Authority(one.name, one.oid or one.finess, "")
        for key in (one.name, *one.aliases, one.oid, one.finess):
            if key:
                found.setdefault(key, written)
    return found


def _hd(text: str) -> str:
    """An HD of a setting, its components separated by ^."""
    return "^".join(map(escape, text.split("^")))


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time_zone: {name!r} is not known on this machine; use Europe/Paris, or UTC") from None


def dialect_of(
    settings: SubscriptionSettings,
    *,
    name: str = "",
    environment: Literal["production", "test"] = "production",
    authorities: Sequence[AuthoritySettings] = (),
) -> Dialect:
    """Resolve the settings of a destination called `name`; `authorities` are those the site knows.

    Raises ValueError, naming the key and the remedy, when the edition, the time zone, an event or a rule is not usable.
    """
    dialect = Dialect(settings, name, environment, authorities)
    known = dialect.edition.structures
    for trigger in (*settings.events, *settings.unsupported):
        if trigger not in known:
            raise ValueError(f"events: {trigger!r} is not an event of {dialect.edition.label}")
    for trigger, choice in settings.unsupported.items():
        if choice in {"hold", "drop"}:
            continue
        if trigger in _NEEDS_ITS_EVENT:
            raise ValueError(
                f"unsupported: {trigger} is not replaced by an {choice.upper()}, which changes no identifier, merge "
                "nor account; use hold, so that a person is told what to do there"
            )
        if not dialect.takes(choice.upper()):
            raise ValueError(
                f"unsupported: {trigger}: this receiver takes no {choice.upper()} either; use hold or drop"
            )
    return dialect
