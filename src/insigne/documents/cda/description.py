"""The small description of a document from which, with the registry, its CDA header is made: a TOML or JSON file."""

import re
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from insigne.documents.errors import DocumentError

OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
LONGEST_OID: Final = 64

Oid = Annotated[str, Meta(pattern=f"^(?:{OID.pattern})?$", max_length=LONGEST_OID)]
Text = Annotated[str, Meta(max_length=300)]
Required = Annotated[str, Meta(min_length=1, max_length=300)]
Code = Annotated[str, Meta(pattern="^[A-Za-z0-9_/.-]{1,40}$")]
OptionalCode = Annotated[str, Meta(pattern="^[A-Za-z0-9_/.-]{0,40}$")]


class Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the parts of a description."""


class Organization(Part, frozen=True):
    """A structure: its national number (Struct_IdNat: 1 + FINESS, 3 + SIRET…), its name, how to reach it."""

    id: Code
    name: Required
    phone: Text = ""
    street: Text = ""
    postal_code: Text = ""
    city: Text = ""


class Professional(Part, frozen=True):
    """A professional: national number (PS_IdNat: 8 + RPPS…), names, profession or speciality (`G15_10/SM26`).

    `civility` is of JDV_J245 (M, MME), `title` of JDV_J246 (DR, PR).
    """

    id: Code
    family: Required
    given: Text = ""
    civility: Text = ""
    title: Text = ""
    profession: OptionalCode = ""
    profession_name: Text = ""
    phone: Text = ""
    organization: Organization | None = None


class Event(Part, frozen=True):
    """The act documented: when it was, who did it (by default the author), in which practice setting (JDV_J04)."""

    start: datetime | None = None
    end: datetime | None = None
    performer: Professional | None = None
    setting: Code = "ETABLISSEMENT"
    setting_name: Text = ""


class Stay(Part, frozen=True):
    """The care the act belongs to: when it was, and the type of the facility (JDV_J02) with its number."""

    start: datetime | None = None
    end: datetime | None = None
    facility_type: Code = "SA01"
    facility_name: Text = ""
    facility: OptionalCode = ""


class Description(Part, frozen=True):
    """What is said of a document. Moments carry a time zone.

    `id` and `set_id` are whole OIDs; `set_id` is common to all versions. `replaces` is the id of the version that this
    one replaces, and makes `version` 2 at least. The custodian is by default the author's organization, the legal
    authenticator the author.
    """

    code: Code
    title: Required
    time: datetime
    author: Professional
    id: Oid = ""
    set_id: Oid = ""
    version: Annotated[int, Meta(ge=1, le=9999)] = 1
    replaces: Oid = ""
    code_name: Text = ""
    code_system: Oid = ""
    confidentiality: Code = "N"
    custodian: Organization | None = None
    legal_authenticator: Professional | None = None
    event: Event = Event()
    stay: Stay = Stay()


def read_description(name: str, content: bytes) -> Description:
    """Read a description; `name` is that of its file, `.json` or else TOML.

    Raises DocumentError, naming the key, for what is missing, unknown or not of its kind, a moment without zone, and
    versions that contradict each other.
    """
    try:
        decode = msgspec.json.decode if PurePath(name).suffix.lower() == ".json" else msgspec.toml.decode
        found = decode(content, type=Description)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(str(error)) from error
    moments = {
        "time": found.time,
        "event.start": found.event.start,
        "event.end": found.event.end,
        "stay.start": found.stay.start,
        "stay.end": found.stay.end,
    }
    for key, moment in moments.items():
        if moment is not None and moment.tzinfo is None:
            raise _wrong(f"{key}: this moment has no time zone; write it like 2026-03-01T08:30:00+01:00")
    if found.author.organization is None and found.custodian is None:
        raise _wrong("author.organization: the structure of the author is needed, or a custodian")
    if found.replaces and (found.version < 2 or not found.set_id):
        raise _wrong("replaces: a replacing version has a version of 2 or more, and the set_id of the first")
    if found.replaces and found.replaces == found.id:
        raise _wrong("replaces: a document does not replace itself")
    return found


def _wrong(reason: str) -> DocumentError:
    return DocumentError("description", f"description of the document: {reason}", f"description du document : {reason}")
