"""What PID, PD1 and the French Z segments say of a person (pam-fr §3.3, §3.4, §3.8, §5)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from insigne.hl7 import NULL
from insigne.ins.dates import BirthDate, complete
from insigne.ins.status import forces_provisional
from insigne.pam.encode import datatypes as dt
from insigne.pam.encode.dialect import Dialect
from insigne.pam.encode.ins import as_identifier, is_whole_date
from insigne.pam.encode.notice import CareMode
from insigne.registry.attach import names_person
from insigne.registry.state import Identity
from insigne.registry.values import Identifier, Ins

_STATUSES = frozenset({"PROV", "VALI"})
_NOTHING: frozenset[str] = frozenset()


class Birth(NamedTuple):
    """A birth date as sent: PID-7, ZFD-1, and whether PID-7 was completed here (ZFD-4)."""

    date: str
    lunar: str
    completed: bool


class Person(NamedTuple):
    """An identity with what is decided of it for one message.

    `ins` is the INS that goes with it, if any; `deleted` the INS that PID-3 deletes (A47); `cleared` the fields to be
    deleted; `updated` PID-33.
    """

    identity: Identity
    ins: Ins | None
    birth: Birth
    deleted: Identifier | None = None
    cleared: frozenset[str] = _NOTHING
    updated: str = ""


def row(dialect: Dialect, name: str, values: Mapping[int, str]) -> str:
    """A segment with the fields that the edition has and the codes that it knows; "" when nothing is left."""
    fields = dialect.fields(name)
    if fields is None:
        return ""
    texts = [""] * (max(values) + 1)
    for number, value in values.items():
        if not value or number not in fields:
            continue
        codes = fields[number]
        if codes is None or value in codes or value == NULL:
            texts[number] = value
    texts[0] = name
    text = "|".join(texts).rstrip("|")
    return "" if text == name else text


def identifiers(dialect: Dialect, held: Iterable[Identifier]) -> list[str]:
    """The CX of those that the receiver may see, local ones (PI) first."""
    shown = [identifier for identifier in held if dialect.shows(identifier)]
    shown.sort(key=lambda identifier: identifier.type != "PI")
    return [dt.cx(identifier, dialect.authority) for identifier in shown]


def visible(dialect: Dialect, identity: Identity) -> bool:
    """Whether the receiver may see an identifier by which it knows this identity."""
    return any(h.current and names_person(h.identifier) and dialect.shows(h.identifier) for h in identity.identifiers)


def birth_of(dialect: Dialect, identity: Identity) -> Birth:
    """The birth date as this edition can say it: a real date, completed and flagged where ZFD-4 exists."""
    text, lunar = identity.traits.birth_date, _lunar(identity.details.lunar_birth_date)
    if not text or (text.isdigit() and is_whole_date(text)):
        return Birth(text, lunar, completed=False)
    try:
        date = BirthDate.parse(text)
    except ValueError:
        return Birth("", lunar, completed=False)
    if date.is_complete:
        return Birth(date.hl7() if "-" in text else text, lunar, completed=False)
    lunar = lunar or f"{date.day:02d}^{date.month:02d}^{date.year:04d}"
    if dialect.has_corrected_date:
        return Birth(complete(date)[0].hl7(), lunar, completed=True)
    return Birth(date.iso().replace("-", ""), lunar, completed=False)


def _lunar(text: str) -> str:
    """ZFD-1 from `yyyy-mm-dd`, each part as received."""
    return "^".join(reversed(text.split("-"))) if text else ""


def pid(dialect: Dialect, person: Person, account: Identifier | None = None) -> str:
    """PID. `account` is PID-18."""
    identity, cleared = person.identity, person.cleared
    traits, details = identity.traits, identity.details

    def said(name: str, value: str) -> str:
        return dt.escape(value) if value else NULL if name in cleared else ""

    held = identifiers(dialect, (h.identifier for h in identity.identifiers if h.current))
    if person.deleted is not None:
        held.append(f"{NULL}{dt.cx(Identifier('INS', person.deleted.authority, ''), dialect.authority)}")
    elif person.ins is not None:
        held.append(dt.cx(as_identifier(person.ins), dialect.authority))
    sex = traits.sex if traits.sex in {"M", "F"} else "U" if traits.sex else ""
    mother = identifiers(dialect, details.mother_identifiers)
    return row(
        dialect,
        "PID",
        {
            1: "1",
            3: "~".join(held),
            5: "~".join(_names(dialect, person)),
            6: dt.components(dt.escape(details.mother_name), *[""] * 5, "L")
            if details.mother_name
            else said("mother_name", ""),
            7: person.birth.date or said("birth_date", ""),
            8: sex or said("sex", ""),
            11: "~".join(_addresses(person)),
            13: "~".join(dt.xtn(telecom, number_first=dialect.number_first) for telecom in details.telecoms)
            or said("telecoms", ""),
            15: said("language", details.language),
            16: said("marital_status", details.marital_status),
            18: dt.cx(account, dialect.authority) if account is not None else "",
            21: "~".join(mother) or said("mother_identifiers", ""),
            23: said("birth_place_text", details.birth_place_text),
            24: said("multiple_birth", details.multiple_birth),
            25: said("birth_order", details.birth_order),
            26: said("nationality", details.nationality),
            29: said("death_date", details.death_date),
            30: said("death_indicator", details.death_indicator),
            31: said("unknown_identity", details.unknown_identity),
            32: "~".join(reliability(dialect, identity)),
            33: person.updated,
            34: dt.escape(details.last_update_facility),
        },
    )


def _names(dialect: Dialect, person: Person) -> list[str]:
    """PID-5: the birth name (L), the used one (D), the others (S, U)."""
    traits, details, cleared = person.identity.traits, person.identity.details, person.cleared

    def said(name: str, value: str) -> str:
        return dt.escape(value) if value else NULL if name in cleared else ""

    family, first = said("birth_name", traits.birth_name), said("first_given_name", traits.first_given_name)
    given = said("given_names", traits.given_names)
    if dialect.settings.given_names == "further":
        given = _further(traits.first_given_name, traits.given_names)
    names = [dt.components(family, first, given, "", said("title", details.title), "", "L")]
    used = said("used_name", details.used_name), said("used_given_name", details.used_given_name)
    if any(used):
        names.append(dt.components(*used, "", "", "", "", "D"))
    types = dialect.edition.tables.get("0200")
    for kind, other, given in details.other_names:
        known = kind and (types is None or types.accepts(kind)) and kind not in {"L", "D"}
        names.append(
            dt.components(dt.escape(other), dt.escape(given), "", "", "", "", dt.escape(kind) if known else "U")
        )
    return names


def _further(first: str, given_names: str) -> str:
    """The given names after the first, or the whole list when it does not begin with it."""
    rest = given_names.removeprefix(first)
    return dt.escape(rest.strip() if rest.startswith(" ") or not rest else given_names)


def _addresses(person: Person) -> list[str]:
    """PID-11: the addresses, then the birthplace."""
    traits, details = person.identity.traits, person.identity.details
    found = [written for address in details.addresses if (written := dt.xad(address))]
    commune = traits.birth_place
    born = dt.birthplace(details.birth_city, details.birth_country, commune)
    if not commune and "birth_place" in person.cleared:
        born = dt.components(*[""] * 6, "BDL", "", NULL)
    if born:
        found.append(born)
    elif "addresses" in person.cleared and not found:
        found.append(NULL)
    return found


def reliability(dialect: Dialect, identity: Identity) -> list[str]:
    """PID-32: PROV or VALI and the attributes that the edition has, or the codes received that say something else."""
    accepts = dialect.edition.tables["0445"].accepts
    received = identity.reliability
    if dialect.settings.reliability == "relayed" and received and received[0] not in _STATUSES:
        codes = [dt.escape(code) for code in received if accepts(code)]
        if codes:
            return codes
    attributes = identity.attributes
    status = "VALI" if identity.checked and not forces_provisional(attributes) else "PROV"
    return [status, *(code for code in attributes if accepts(code))]


def pd1(dialect: Dialect, person: Person) -> str:
    """PD1: living arrangement and protection, "" when nothing is known."""
    details, cleared = person.identity.details, person.cleared
    return row(
        dialect,
        "PD1",
        {
            2: dt.escape(details.living_arrangement) or (NULL if "living_arrangement" in cleared else ""),
            12: dt.escape(details.protected) or (NULL if "protected" in cleared else ""),
        },
    )


def zfd(dialect: Dialect, person: Person) -> str:
    """ZFD: lunar date, how the identity was obtained and checked."""
    identity, birth = person.identity, person.birth
    details, national, proof = identity.details, identity.national, identity.proof
    collection = details.collection
    obtained = national.obtained[:10].replace("-", "") if national.mode else ""
    values = {
        "lunar_birth_date": birth.lunar,
        "gestation_weeks": dt.escape(details.gestation_weeks),
        "sms_consent": dt.escape(details.sms_consent),
        "collection.birth_date_corrected": "Y" if birth.completed else dt.escape(collection.birth_date_corrected),
        "collection.mode": dt.escape(national.mode or collection.mode),
        "collection.insi_date": obtained or dt.escape(collection.insi_date),
        "collection.proof": dt.escape(proof.proof.type if proof is not None else collection.proof),
        "collection.proof_expiry": _day(proof.proof.expiry)
        if proof is not None
        else dt.escape(collection.proof_expiry),
    }
    return row(dialect, "ZFD", _numbered(values, person.cleared))


def _day(text: str) -> str:
    """A day of a form or of HL7 as HL7 writes it."""
    return dt.escape(text.replace("-", ""))


def _numbered(values: Mapping[str, str], cleared: frozenset[str]) -> dict[int, str]:
    """Fields from 1 on, `""` for those that were cleared."""
    return {
        number: value or (NULL if name in cleared else "") for number, (name, value) in enumerate(values.items(), 1)
    }


def zfp(dialect: Dialect, person: Person) -> str:
    """ZFP: occupation."""
    details = person.identity.details
    values = {"occupation": dt.escape(details.occupation), "occupation_group": dt.escape(details.occupation_group)}
    return row(dialect, "ZFP", _numbered(values, person.cleared))


def zfa(dialect: Dialect, person: Person) -> str:
    """ZFA: what is known of the patient's DMP."""
    dmp, cleared = person.identity.details.dmp, person.cleared

    def said(name: str, value: str) -> str:
        return dt.escape(value) or (NULL if f"dmp.{name}" in cleared else "")

    return row(
        dialect,
        "ZFA",
        {
            1: said("status", dmp.status),
            2: said("status_date", dmp.status_date),
            3: said("closed_date", dmp.closed_date),
            9: said("feeding", dmp.feeding),
            10: said("feeding_date", dmp.feeding_date),
            11: said("consulting", dmp.consulting),
            12: said("consulting_date", dmp.consulting_date),
        },
    )


def zfs(dialect: Dialect, care: Iterable[CareMode]) -> list[str]:
    """ZFS: what became of each legal mode of care in psychiatry."""
    return [
        row(
            dialect,
            "ZFS",
            {
                1: str(rank),
                2: dt.ei(one.mode.id, dialect.authority),
                3: dt.escape(one.mode.start),
                4: dt.escape(one.mode.end),
                5: one.action,
                6: dt.escape(one.mode.mode),
                7: dt.escape(one.mode.rimp_code),
                8: dt.escape(one.mode.comment),
            },
        )
        for rank, one in enumerate(care, 1)
    ]
