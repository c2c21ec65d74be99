"""From a document kept to what the client sends: who calls, the lot of a feeding, that of a deletion."""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, Final

from insigne.dmp.model import Document, Flags, Sender
from insigne.dmp.settings_wire import CallerSettings, ServiceSettings
from insigne.dmp.wire import codes, names
from insigne.dmp.wire.cda import measure
from insigne.dmp.wire.header import read_header
from insigne.dmp.wire.lot import Given, compose, content_type, submission
from insigne.dmp.wire.model import (
    Author,
    Availability,
    Coded,
    Deletion,
    Feeding,
    Ins,
    Person,
    Sourced,
    Structure,
    VihfContext,
    WireError,
)
from insigne.documents.cda import terms

NewUuid = Callable[[], str]
_SPECIALTY: Final = re.compile(r"G15_([0-9]+)(?:/([A-Z0-9]+))?")
_PROFESSIONS: Final = "1.2.250.1.71.1.2.7"
_AUTOMATON: Final = Coded("AUTOMATE", "1.2.250.1.213.1.1.4.6", "Automate")
"""TRE_A00-ProducteurDocNonPS, in JDV_J65."""


def caller(settings: ServiceSettings, sender: Sender, *, secret: bool = False) -> VihfContext:
    """Return who calls: what the sender said of themselves, else the settings."""
    given = settings.caller
    person = _person(given, sender)
    automatic = not sender.person_id
    return VihfContext(
        name_id=person.id,
        name=settings.software.name if automatic else f"{person.given} {person.family}".strip(),
        structure=sender.structure_id or given.structure,
        sector=_sector(given),
        roles=_roles(given),
        secret=secret,
    )


def feeding(
    document: Document,
    content: BinaryIO,
    ins: Ins,
    settings: ServiceSettings,
    *,
    now: datetime,
    new_uuid: NewUuid,
    replaces: str = "",
) -> Feeding:
    """Return what feeds the DMP with a document, a CDA that bears the INS.

    `replaces` is the entryUUID of the version replaced. Raises WireError for a document of which no lot can be made:
    another INS, another unique id, or more than what was announced.
    """
    measured = measure(content)
    header = read_header(measured.root)
    if header.unique_id != document.unique_id:
        raise WireError("id: the document does not bear the unique id it was announced under")
    given = _given(document, ins, settings, now, new_uuid, replaces)
    who = caller(settings, document.sender, secret=document.flags.secret_connection)
    own = (one.specialty for one in header.authors if one.specialty and one.person.id == who.name_id)
    specialty = next(own, None)
    if specialty is not None:
        given = replace(given, author=_with_specialty(given.author, specialty))
        who = _with_roles(who, specialty)
    return Feeding(compose(header, measured, given), content, who)


def deletion(
    document: Document,
    entry_uuid: str,
    ins: Ins,
    settings: ServiceSettings,
    *,
    now: datetime,
    new_uuid: NewUuid,
    status: Availability = "approved",
) -> Deletion:
    """Return what deletes a document from the DMP, under the INS it was fed under."""
    given = _given(document, ins, settings, now, new_uuid, "")
    who = caller(settings, document.sender, secret=document.flags.secret_connection)
    return Deletion(entry_uuid, submission(given), who, status)


def masks(flags: Flags) -> tuple[Coded, ...]:
    """Return the confidentiality codes that flags add to the document's own."""
    found = (
        (flags.masked_professionals, codes.MASKED),
        (flags.hidden_patient, codes.HIDDEN_FROM_PATIENT),
        (flags.hidden_representatives, codes.HIDDEN_FROM_GUARDIANS),
    )
    return tuple(code for wanted, code in found if wanted)


def _given(
    document: Document, ins: Ins, settings: ServiceSettings, now: datetime, new_uuid: NewUuid, replaces: str
) -> Given:
    return Given(
        ins=ins,
        author=_author(settings.caller, document.sender),
        content_type=content_type(document.stay.patient_class, settings.content_type),
        source_id=settings.software.oid,
        lot_id=_oid(new_uuid()),
        signature_id=_oid(new_uuid()),
        now=now,
        masks=masks(document.flags),
        facility_type=_sector(settings.caller),
        class_codes=settings.class_codes,
        format_codes=settings.format_codes,
        replaces=replaces,
        title=document.title,
    )


def _author(given: CallerSettings, sender: Sender) -> Sourced[Author]:
    structure = Structure(sender.structure_id or given.structure, sender.structure_name or given.structure_name)
    author = Author(_person(given, sender), structure if structure.id else None)
    if sender.person_id:
        return Sourced(author, "message", "PRT SB")
    return Sourced(author, "configuration", "dmp.service.caller")


def _person(given: CallerSettings, sender: Sender) -> Person:
    if sender.person_id:
        return Person(sender.person_id, sender.family, sender.given)
    return Person(given.person, given.family, given.given)


def _sector(given: CallerSettings) -> Coded:
    return Coded(given.sector, terms.FACILITIES, terms.FACILITY_TYPES.get(given.sector, ""))


def _roles(given: CallerSettings) -> tuple[Coded, ...]:
    if given.role == _AUTOMATON.code and not given.role_system:
        return (_AUTOMATON,)
    profession = Coded(given.role, given.role_system or _PROFESSIONS, given.role_label)
    if not given.specialty:
        return (profession,)
    return profession, Coded(given.specialty, names.SAVOIR_FAIRE, given.specialty_label)


def _with_specialty(author: Sourced[Author], specialty: Coded) -> Sourced[Author]:
    """Give the author of the lot what the document says of the same person."""
    return replace(author, value=replace(author.value, specialty=specialty))


def _with_roles(who: VihfContext, specialty: Coded) -> VihfContext:
    """Give the caller the profession and savoir-faire that the document says of the same person."""
    found = _SPECIALTY.fullmatch(specialty.code)
    if found is None:
        return who
    roles = [Coded(found[1], _PROFESSIONS, specialty.label)]
    if found[2]:
        roles.append(Coded(found[2], names.SAVOIR_FAIRE, specialty.label))
    return replace(who, roles=tuple(roles))


def _oid(text: str) -> str:
    """The OID of a UUID (ITU-T X.667)."""
    return f"2.25.{uuid.UUID(text).int}"
