"""Reading QBP^Q23 (ITI-9), QBP^Q22 (ITI-21) and QCN^J01, which gives a continued query up."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from insigne.hl7 import Location, Message, Segment
from insigne.pam.decode.datatypes import Repetition, authority, text
from insigne.pam.query.criteria import FIELDS, Criteria, Wanted
from insigne.registry.values import Authority

PIX_NAME: Final = "IHE PIX Query"
PDQ_NAME: Final = "IHE PDQ Query"

_CX_PARTS: Final = {
    "1": "value",
    "4": "namespace",
    "4.1": "namespace",
    "4.2": "universal_id",
    "4.3": "universal_id_type",
    "5": "type",
}
_CRITERION: Final = re.compile(r"@(PID(?:\.\d+){1,3})")
_DAY: Final = re.compile(r"\d{8}(?:\d{2,6})?")
_SEXES: Final = {"M": "M", "F": "F", "U": "I", "A": "I", "O": "I"}


class QueryRefused(Exception):  # noqa: N818  # named for what happened
    """A query that cannot be answered: the condition of table 0357, the place, and a text without its content."""

    def __init__(self, condition: str, place: Location, reason: str) -> None:
        super().__init__(reason)
        self.condition = condition
        self.place = place


class Asked(msgspec.Struct, frozen=True):
    """What every query has: QPD-1 as sent, its tag (QPD-2), and the domains whose identifiers are wanted (empty: all).

    `page`: RCP-2, the most people in one answer; 0: as many as we give. `pointer`: DSC-1, where to go on.
    """

    name: str
    tag: str
    domains: tuple[Authority, ...] = ()
    page: int = 0
    pointer: str = ""


class PixQuery(msgspec.Struct, frozen=True):
    """Which identifiers does the person have whom this one names."""

    asked: Asked
    identifier: Wanted


class PdqQuery(msgspec.Struct, frozen=True):
    """Who meets these demographics."""

    asked: Asked
    criteria: Criteria


def read_query(message: Message) -> PixQuery | PdqQuery:
    """Read a QBP^Q23 or QBP^Q22. Raises QueryRefused."""
    qpd = message.segment("QPD")
    if qpd is None:
        raise QueryRefused("100", Location("MSH"), "QPD is missing")
    if message.trigger == "Q23":
        return PixQuery(_asked(message, qpd, domains=4), _identifier(qpd))
    return PdqQuery(_asked(message, qpd, domains=8), _criteria(qpd))


def _asked(message: Message, qpd: Segment, *, domains: int) -> Asked:
    rcp, dsc = message.segment("RCP"), message.segment("DSC")
    tag = qpd.value(2).strip()
    if not tag:
        raise QueryRefused("101", qpd.location(2), "the query tag is missing: answers could not be told apart")
    if rcp is not None and rcp.value(1).strip() not in ("", "I"):
        raise QueryRefused("103", rcp.location(1), "only immediate answers are given: I")
    wanted = []
    for rank, repetition in enumerate(qpd.decoded(domains), 1):
        issuer = authority(repetition[3]) if len(repetition) > 3 else Authority()
        if not issuer.key:
            raise QueryRefused("101", qpd.location(domains, rank, 4), "the domain wanted is not named")
        wanted.append(issuer)
    return Asked(qpd.field(1), tag, tuple(wanted), _page(rcp), dsc.value(1) if dsc is not None else "")


def _page(rcp: Segment | None) -> int:
    """RCP-2: a number of records (RD), the only unit there is a sense in here."""
    if rcp is None or not rcp.value(2).strip():
        return 0
    number, unit = rcp.value(2).strip(), rcp.value(2, 2).strip()
    if not (number.isascii() and number.isdigit() and int(number[:9]) > 0 and len(number) < 10):
        raise QueryRefused("102", rcp.location(2, component=1), "a number of records is expected")
    if unit not in ("", "RD"):
        raise QueryRefused("103", rcp.location(2, component=2), "answers are limited by records: RD")
    return int(number)


def _identifier(qpd: Segment) -> Wanted:
    """QPD-3 of a PIX query."""
    found: Sequence[Repetition] = qpd.decoded(3)
    if not found or not text(found[0], 1).strip():
        raise QueryRefused("101", qpd.location(3, 1, 1), "the identifier is missing")
    issuer = authority(found[0][3]) if len(found[0]) > 3 else Authority()
    if not issuer.key:
        raise QueryRefused("101", qpd.location(3, 1, 4), "the authority of the identifier is missing")
    return Wanted(text(found[0], 1).strip(), issuer, text(found[0], 5).strip())


def _criteria(qpd: Segment) -> Criteria:
    """QPD-3 of a PDQ: `@PID.5.1.1^NAME`, repeated."""
    simple: dict[str, str] = {}
    person: dict[str, str] = {}
    account: dict[str, str] = {}
    for rank, repetition in enumerate(qpd.decoded(3), 1):
        named, value = text(repetition, 1).strip(), text(repetition, 2).strip()
        if not named and not value:
            continue
        match = _CRITERION.fullmatch(named)
        if match is None:
            raise QueryRefused("102", qpd.location(3, rank, 1), "a parameter is written @PID.field.component^value")
        if not value:
            continue
        _set(match[1], value, simple, person, account, qpd.location(3, rank))
    criteria = msgspec.convert(
        {**simple, "identifier": _wanted(person, qpd), "account": _wanted(account, qpd)}, Criteria, strict=False
    )
    if criteria == Criteria():
        raise QueryRefused("101", qpd.location(3), "no parameter: whom is asked for is not said")
    return criteria


def _set(
    field: str, value: str, simple: dict[str, str], person: dict[str, str], account: dict[str, str], place: Location
) -> None:
    for prefix, parts in (("PID.3.", person), ("PID.18.", account)):
        part = _CX_PARTS.get(field.removeprefix(prefix)) if field.startswith(prefix) else None
        if part is not None:
            parts[part] = value
            return
    if field in ("PID.3", "PID.18"):
        (person if field == "PID.3" else account)["value"] = value
        return
    name = FIELDS.get(field)
    if name is None:
        raise QueryRefused("103", place, "this parameter is not one that people are looked up by here")
    if name == "birth_date":
        if _DAY.fullmatch(value) is None:
            raise QueryRefused("102", place, "a birth date is a whole day, YYYYMMDD")
        value = value[:8]
    if name == "sex":
        value = _SEXES.get(value.upper(), "")
        if not value:
            raise QueryRefused("103", place, "a sex is F, M or U")
    simple[name] = value


def _wanted(parts: Mapping[str, str], qpd: Segment) -> Wanted | None:
    if not parts:
        return None
    if "value" not in parts:
        raise QueryRefused("101", qpd.location(3), "an authority is given without the identifier it issued")
    issuer = Authority(parts.get("namespace", ""), parts.get("universal_id", ""), parts.get("universal_id_type", ""))
    return Wanted(parts["value"], issuer, parts.get("type", ""))
