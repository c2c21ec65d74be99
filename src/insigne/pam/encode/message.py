"""One notice as the message of one receiver."""

from collections.abc import Mapping
from typing import Final

from insigne.hl7 import Message
from insigne.pam.encode.charset import encodable, transliterated, unencodable_places
from insigne.pam.encode.compose import INS_KINDS, Composer, Subject, ins_of, prior
from insigne.pam.encode.dialect import VITAL, Dialect
from insigne.pam.encode.instructions import withheld
from insigne.pam.encode.notice import Notice
from insigne.pam.encode.outcome import Encoded, Nothing, Outcome, Withheld
from insigne.pam.encode.patient import visible
from insigne.pam.findings import Finding
from insigne.pam.validate import validate
from insigne.registry.evolve import State
from insigne.registry.state import Encounter, Identity, Movement
from insigne.registry.values import Identifier

_ACCOUNT_EVENTS: Final = frozenset({"A44", "A49"})
_CORRECTION: Final = "Z99"
#: An INS that is not accompanied as it must be is never sent, though a receiver would only drop it.
NEVER_SENT: Final = frozenset({"V13"})
#: What a message stands on: an error there is not mended by leaving the field out.
_ESSENTIAL: Final = frozenset(
    {
        *("PID-3", "PID-5", "PID-18", "PID-32", "PV1-2", "PV1-3", "PV1-6", "PV1-19", "PV1-42"),
        *("MRG-1", "MRG-3", "ZBE-1", "ZBE-2", "ZBE-4", "ZBE-6", "ZBE-9"),
    }
)
_HEADERS: Final = frozenset({"MSH", "EVN"})
#: Two PID, in an order of ours: what is copied of one person could go with the other.
_OF_TWO: Final = frozenset({"A24", "A37"})


def encode(
    notice: Notice,
    states: Mapping[tuple[str, str], State],
    current: Identity | None,
    dialect: Dialect,
    *,
    control_id: str,
    time: str,
    original: Message | None = None,
) -> Outcome:
    """Write a notice in the dialect of a receiver.

    `states` holds, by (stream, id), every state of `notice.refs` at its version. `current` is the subject today: its
    INS is withheld when it is no longer qualified, or None when it is gone. `control_id` is MSH-10 (at most 20
    characters), `time` the moment of MSH-7 (RFC 3339 with zone). `original` is the message that caused the event, for
    the segments that the receiver wants relayed.

    The message is validated in the receiver's edition before it is returned: one with an error is withheld. Raises
    LookupError when a state of the notice is missing from `states`.
    """
    subject = _subject(notice, states, current)
    trigger = _event_sent(dialect, subject)
    if not isinstance(trigger, str):
        return trigger
    refused = _unsayable(dialect, subject, trigger)
    if refused is not None:
        return refused
    return _Writing(dialect, subject, trigger, original).outcome(control_id, time)


def _subject(notice: Notice, states: Mapping[tuple[str, str], State], current: Identity | None) -> Subject:
    identity = states[("identity", notice.subject)]
    other = states[("identity", notice.other)] if notice.other else None
    stay = states[("encounter", notice.encounter)] if notice.encounter else None
    if not isinstance(identity, Identity):
        raise TypeError(f"{notice.trigger}: the state of the subject is not that of an identity")
    movement: Movement | None = None
    if isinstance(stay, Encounter) and notice.movement:
        movement = stay.movement(notice.movement)
    return Subject(
        notice,
        identity,
        current,
        other if isinstance(other, Identity) else None,
        stay if isinstance(stay, Encounter) else None,
        movement,
    )


# --- whether it is told at all


def _event_sent(dialect: Dialect, subject: Subject) -> str | Withheld | Nothing:
    """The event to send to this receiver: the one that happened, another in its stead, or none."""
    notice, settings = subject.notice, dialect.settings
    if dialect.said(notice.author):
        return Nothing("its-own")
    if settings.domains and subject.identity.domain not in settings.domains:
        return Nothing("other-domain")
    if settings.sites and subject.stay is not None and not _of_sites(subject.stay, settings.sites):
        return Nothing("other-site")
    if notice.kind in INS_KINDS and not dialect.shows_ins:
        return Nothing("ins-not-shown")
    if not visible(dialect, subject.identity):
        if notice.trigger in VITAL and prior(dialect, subject):
            return _held("not-visible", dialect, subject)
        return Nothing("not-visible")
    if notice.trigger in {"A40", "A47"} and not prior(dialect, subject):
        return Nothing("prior-not-visible")
    if notice.kind == "unmerged" and not dialect.takes("A37") and dialect.instead("A37", vital=True) == "hold":
        return Nothing("unmerge-by-hand")
    if dialect.takes(notice.trigger):
        return notice.trigger
    return _instead(dialect, subject)


def _instead(dialect: Dialect, subject: Subject) -> str | Withheld | Nothing:
    match dialect.instead(subject.notice.trigger, vital=subject.notice.kind == "unmerge"):
        case "a31" | "a08" as other:
            return other.upper()
        case "hold":
            return _held("unsupported", dialect, subject)
        case "drop":
            return Nothing("not-wanted")


def _of_sites(stay: Encounter, sites: tuple[str, ...]) -> bool:
    """Whether a movement of the stay was in one of the facilities or wards, or says neither."""
    places = {place for movement in stay.movements for place in (movement.location.facility, movement.location.ward)}
    known = places - {""}
    return not known or not known.isdisjoint(sites)


def _unsayable(dialect: Dialect, subject: Subject, trigger: str) -> Withheld | None:
    """What no message can say: an account without number, the cancellation of what no event cancels."""
    notice, stay, movement = subject.notice, subject.stay, subject.movement
    if trigger in _ACCOUNT_EVENTS and (stay is None or stay.account is None):
        return _held("no-account", dialect, subject)
    if trigger == _CORRECTION and notice.action == "CANCEL" and movement is not None:
        return _held("no-cancelling-event", dialect, subject)
    return None


def _held(reason: str, dialect: Dialect, subject: Subject, findings: tuple[Finding, ...] = (), **more: str) -> Withheld:
    notice, stay, movement = subject.notice, subject.stay, subject.movement
    words = {
        "system": dialect.name or dialect.settings.application or "?",
        "edition": dialect.edition.label,
        "event": notice.trigger,
        "subject": _named(dialect, subject.identity),
        "other": _named(dialect, subject.other) if subject.other is not None else "?",
        "prior": ", ".join(_shown(dialect, one) for one in notice.prior if one.type != "INS") or "?",
        "account": _number(stay.account if stay is not None else None),
        "prior_account": _number(notice.prior_account),
        "visit": _number((stay.visit or stay.account) if stay is not None else None),
        "original": movement.trigger if movement is not None else "?",
        **more,
    }
    return withheld(reason, notice.trigger, notice.kind, words, findings)


def _named(dialect: Dialect, identity: Identity) -> str:
    """A person by the first identifier that the receiver may see, else by any."""
    held = [one.identifier for one in identity.identifiers if one.current]
    shown = [one for one in held if dialect.shows(one)] or held
    shown.sort(key=lambda one: one.type != "PI")
    return _shown(dialect, shown[0]) if shown else "?"


def _shown(dialect: Dialect, identifier: Identifier) -> str:
    issuer = dialect.authority(identifier.authority).partition("&")[0]
    return f"{identifier.value} ({issuer})" if issuer else identifier.value


def _number(identifier: Identifier | None) -> str:
    return identifier.value if identifier is not None else "?"


# --- writing it


class _Writing:
    """One message being written: composed, changed by the site's rules, encoded, validated."""

    def __init__(self, dialect: Dialect, subject: Subject, trigger: str, original: Message | None) -> None:
        self._dialect = dialect
        self._subject = subject
        self._trigger = trigger
        self._original = original
        self._ins = ins_of(dialect, subject)

    def outcome(self, control_id: str, time: str) -> Outcome:
        """Encoded when it is valid, if need be without optional fields that the edition refuses; else withheld."""
        dialect = self._dialect
        lines = self._lines(control_id, time)
        raw = self._bytes(lines)
        if raw is None and dialect.settings.unencodable == "hold":
            lacking = ", ".join(dict.fromkeys(unencodable_places(lines, dialect.codec)))
            return _held("charset", dialect, self._subject, places=lacking)
        if raw is None:
            if self._ins is not None and not self._names_encodable():
                self._ins = None  # an INS whose traits are altered is not that INS
                lines = self._lines(control_id, time)
            lines = [transliterated(line, dialect.codec) for line in lines]
            raw = self._bytes(lines) or b""
        errors = self._errors(raw)
        left_out: list[str] = []
        while errors:
            places = _optional_places(errors, lines)
            if not places:
                return _held("invalid", dialect, self._subject, tuple(errors))
            left_out += places
            lines = [_without(line, places) for line in lines]
            raw = "\r".join((*lines, "")).encode(dialect.codec)
            errors = self._errors(raw)
        return Encoded(raw, f"ADT^{self._trigger}^{dialect.structure(self._trigger).id}", tuple(left_out))

    def _lines(self, control_id: str, time: str) -> list[str]:
        dialect, trigger = self._dialect, self._trigger
        lines = Composer(dialect, self._subject, trigger, self._ins).lines(control_id, time)
        composed = lines
        if self._original is not None and trigger not in _OF_TWO:
            lines = dialect.relay.copied(lines, self._original, dialect.structure(trigger))
        for rule in dialect.rules:
            lines = rule.apply(lines, trigger)
        if self._ins is not None and _altered(composed, lines):
            self._ins = None  # the same: an INS goes with its traits, or not at all
            return self._lines(control_id, time)
        return lines

    def _bytes(self, lines: list[str]) -> bytes | None:
        try:
            return "\r".join((*lines, "")).encode(self._dialect.codec)
        except UnicodeEncodeError:
            return None

    def _names_encodable(self) -> bool:
        traits = self._subject.identity.traits
        names = traits.birth_name + traits.first_given_name + traits.given_names
        return encodable(names, self._dialect.codec)

    def _errors(self, raw: bytes) -> list[Finding]:
        dialect = self._dialect
        message = Message.parse(raw, dialect.charset_policy)
        findings = validate(message, dialect.edition, dialect.context)
        if not findings:
            return []
        return [one for one in findings if one.severity == "error" or one.rule in NEVER_SENT]


def _altered(composed: list[str], lines: list[str]) -> bool:
    """Whether a strict trait of the first PID became another one; one that is dropped is an error of the validator."""
    pairs = zip(_strict_traits(composed), _strict_traits(lines), strict=False)
    return any(after and after != before for before, after in pairs)


def _strict_traits(lines: list[str]) -> tuple[str, ...]:
    """The date, the sex, the code of the birthplace and the names of birth, as written in the first PID."""
    fields = next(line for line in lines if line.startswith("PID|")).split("|") + [""] * 12
    names, places = ([one.split("^") for one in fields[number].split("~")] for number in (5, 11))
    born = next((one[8] for one in places if one[6:7] == ["BDL"] and len(one) > 8), "")
    return fields[7], fields[8], born, *next((one[:3] for one in names if one[6:7] == ["L"]), ())


def _optional_places(errors: list[Finding], lines: list[str]) -> list[str]:
    """The fields, as "PID-29", whose content is all that is wrong and that may be left out; [] if there is another."""
    places: list[str] = []
    for error in errors:
        location = error.location
        if location is None or location.field is None or location.segment in _HEADERS:
            return []
        place = f"{location.segment}-{location.field}"
        if place in _ESSENTIAL or error.rule in NEVER_SENT or not _valued(lines, location.segment, location.field):
            return []
        places.append(place)
    return list(dict.fromkeys(places))


def _valued(lines: list[str], segment: str, field: int) -> bool:
    fields = [line.split("|") for line in lines if line.startswith(segment + "|")]
    return any(field < len(one) and one[field] for one in fields)


def _without(line: str, places: list[str]) -> str:
    """A segment without some of its fields."""
    fields = line.split("|")
    for place in places:
        segment, _, number = place.partition("-")
        if segment == fields[0] and int(number) < len(fields):
            fields[int(number)] = ""
    return "|".join(fields).rstrip("|")
