"""The segments of one message, by event (pam-fr §2.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from insigne.pam.encode import datatypes as dt
from insigne.pam.encode import patient as pt
from insigne.pam.encode import stay as st
from insigne.pam.encode.dialect import Dialect
from insigne.pam.encode.ins import shown_ins, withheld_now
from insigne.pam.encode.notice import Notice
from insigne.registry.state import Encounter, Identity, Movement
from insigne.registry.values import Identifier, Ins

#: Events of a movement that also tell of the person (pam-fr §3.8).
DEMOGRAPHIC: Final = frozenset({"A01", "A04", "A05", "A14", "Z99"})
#: Events that say what a person has become, deletions included.
UPDATES: Final = frozenset({"A31", "A08"})
INS_KINDS: Final = frozenset({"ins-replaced", "ins-deleted", "downgrade"})
_NEEDS_EVENT_TYPE: Final = frozenset({"2.3.1", "2.4"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is made from: the notice and the states it names, as of the event, and the person today."""

    notice: Notice
    identity: Identity
    current: Identity | None
    other: Identity | None = None
    stay: Encounter | None = None
    movement: Movement | None = None


def ins_of(dialect: Dialect, subject: Subject) -> Ins | None:
    """The INS that goes with the person in this message: as of the event, if it is theirs and qualified today."""
    ins = shown_ins(subject.identity) if dialect.shows_ins else None
    if ins is None or withheld_now(ins, subject.current):
        return None
    return ins if "VALI" in pt.reliability(dialect, subject.identity) else None


def prior(dialect: Dialect, subject: Subject) -> list[str]:
    """MRG-1 of an A40 or A47, without what the person still holds."""
    notice = subject.notice
    if notice.kind in INS_KINDS:
        return [dt.cx(identifier, dialect.authority) for identifier in notice.prior]
    kept = {held.identifier.key for held in subject.identity.identifiers if held.current}
    return pt.identifiers(dialect, (identifier for identifier in notice.prior if identifier.key not in kept))


class Composer:
    """Writes one message. `trigger` is the event sent, which may stand for another one; `ins` the INS that goes."""

    def __init__(self, dialect: Dialect, subject: Subject, trigger: str, ins: Ins | None) -> None:
        self.dialect = dialect
        self.subject = subject
        self.trigger = trigger
        self.ins = ins
        self.allowed = dialect.segments(trigger)

    def lines(self, control_id: str, time: str) -> list[str]:
        """The segments, without what this edition does not have."""
        body = _BODIES.get(self.trigger, Composer._movement)
        header = self.dialect.header(self.trigger, control_id, time)
        return [header, self._event(time), *body(self)]

    def _event(self, time: str) -> str:
        """EVN."""
        dialect, notice, movement = self.dialect, self.subject.notice, self.subject.movement
        recorded = dialect.moment(notice.time or time)
        planned = occurred = ""
        if movement is not None and notice.action == "INSERT":
            planned = st.planned(self._told(movement))
            occurred = "" if planned else dt.escape(movement.start)
        kind = self.trigger if dialect.edition.hl7_version in _NEEDS_EVENT_TYPE else ""
        return f"EVN|{kind}|{recorded}|{planned}|||{occurred}".rstrip("|")

    # --- people

    def _person(self, *, deleted: Identifier | None = None) -> pt.Person:
        identity, notice = self.subject.identity, self.subject.notice
        updated = dt.escape(identity.details.last_update)
        if notice.cause_kind not in {"", "message"} or not updated:
            updated = self.dialect.moment(notice.time or identity.updated)
        return pt.Person(
            identity,
            None if deleted is not None else self.ins,
            pt.birth_of(self.dialect, identity),
            deleted,
            frozenset(notice.cleared) if self.trigger in UPDATES else frozenset(),
            updated,
        )

    def _patient(self) -> list[str]:
        """A28, A31, A08."""
        person, dialect = self._person(), self.dialect
        lines = [pt.pid(dialect, person), pt.pd1(dialect, person), "PV1||N"]
        return self._kept([*lines, pt.zfa(dialect, person), pt.zfd(dialect, person), *self._care()])

    def _care(self) -> list[str]:
        return pt.zfs(self.dialect, self.subject.notice.care)

    def _kept(self, lines: list[str]) -> list[str]:
        return [line for line in lines if line and line[:3] in self.allowed]

    def _replaced(self) -> list[str]:
        """A40, A47: the deletion of an INS when it is gone or may not leave any more."""
        notice = self.subject.notice
        deletes = notice.kind in INS_KINDS and (notice.kind != "ins-replaced" or self.ins is None)
        person = self._person(deleted=notice.prior[0] if deletes else None)
        return [pt.pid(self.dialect, person), f"MRG|{'~'.join(prior(self.dialect, self.subject))}"]

    def _linked(self) -> list[str]:
        """A24, A37: the other person without INS, not knowing what it is today."""
        lines = [pt.pid(self.dialect, self._person())]
        other = self.subject.other
        if other is not None:
            birth = pt.birth_of(self.dialect, other)
            lines.append(
                pt.pid(self.dialect, pt.Person(other, None, birth, updated=dt.escape(other.details.last_update)))
            )
        return lines

    # --- stays

    def _account(self) -> list[str]:
        """A44: the account leaves the person of MRG-1 for the one of the PID. A49: its number changes."""
        notice, stay, dialect = self.subject.notice, self.subject.stay, self.dialect
        account = stay.account if stay is not None else None
        source = self.subject.other or self.subject.identity
        held = pt.identifiers(dialect, (one.identifier for one in source.identifiers if one.current))
        former = st.number(dialect, notice.prior_account)
        return [pt.pid(dialect, self._person(), account), f"MRG|{'~'.join(held)}||{former}"]

    def _told(self, movement: Movement) -> st.Event:
        notice, stay = self.subject.notice, self.subject.stay
        if stay is None:
            raise LookupError(f"{self.trigger}: the stay of the movement is not among the states")
        return st.Event(stay, movement, self.trigger, notice.action, frozenset(notice.cleared))

    def _movement(self) -> list[str]:
        movement, dialect = self.subject.movement, self.dialect
        if movement is None:
            raise LookupError(f"{self.trigger}: the movement is not in its stay")
        event, person = self._told(movement), self._person()
        lines = [pt.pid(dialect, person, event.stay.account), pt.pd1(dialect, person)]
        lines += [st.pv1(dialect, event), st.pv2(dialect, event), st.zbe(dialect, event)]
        if self.trigger in DEMOGRAPHIC:
            lines += [pt.zfa(dialect, person), pt.zfp(dialect, person)]
        lines += [st.zfv(dialect, event), st.zfm(dialect, event)]
        if self.trigger in DEMOGRAPHIC:
            lines.append(pt.zfd(dialect, person))
        return self._kept(lines)


_BODIES: Final[dict[str, Callable[[Composer], list[str]]]] = {
    "A28": Composer._patient,
    "A31": Composer._patient,
    "A08": Composer._patient,
    "A40": Composer._replaced,
    "A47": Composer._replaced,
    "A24": Composer._linked,
    "A37": Composer._linked,
    "A44": Composer._account,
    "A49": Composer._account,
}
