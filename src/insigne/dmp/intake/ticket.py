"""What comes with a document that no message brings: a TOML or JSON file beside it, or the metadata of a request.

It is the description of `documents.cda`, whose keys stand at the first level (not needed for a CDA, which describes
itself), with two more: `identity`, whose it is, and the table `sending`, what is to be done with it.
"""

import tomllib
from pathlib import PurePath
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from insigne.dmp.intake.codes import Code, refused
from insigne.dmp.model import Flags, Intent, Sender, StayRef
from insigne.documents.cda.description import Description, Oid, read_description
from insigne.documents.errors import DocumentError

_LARGEST: Final = 200_000
_OURS: Final = ("identity", "sending")
Text = Annotated[str, Meta(max_length=300)]
Mail = Annotated[str, Meta(max_length=320)]
Body = Annotated[str, Meta(max_length=10_000)]


class Destinations(Flags, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may see the document and where it goes: the flags of MetaDMPMSS, under the names of `Flags`."""


class SentBy(Sender, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who sends; by default the author of the document."""


class OfStay(StayRef, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The stay it belongs to."""


class Sending(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be done with a document. `intent` is by default what the document says: a new one, or a replacement.

    `unique_id` names what a deletion without a document deletes, `set_id` all versions of it.
    """

    intent: Intent | None = None
    unique_id: Oid = ""
    flags: Destinations = Destinations()
    recipients: tuple[Mail, ...] = ()
    reply_to: Mail = ""
    mail_professionals: Body = ""
    mail_patient: Body = ""
    sender: SentBy | None = None
    facility: Annotated[str, Meta(max_length=20)] = ""
    stay: OfStay = OfStay()
    control_id: Text = ""


class Ticket(Struct, frozen=True):
    """Whose a document is ("AUTHORITY|VALUE", "" when said elsewhere), its description if it has one, what to do."""

    identity: str = ""
    description: Description | None = None
    sending: Sending = Sending()


def read_ticket(name: str, content: bytes) -> Ticket:
    """Read a ticket; `name` is that of its file, `.json` or else TOML. Raises IntakeRefused (906), naming the key."""
    if len(content) > _LARGEST:
        raise refused(Code.OTHER, "the description is too large", "la description est trop grande", rule="description")
    try:
        table = _table(name, content)
        identity = msgspec.convert(table.pop("identity", ""), Text)
        sending = msgspec.convert(table.pop("sending", {}), Sending)
        described = read_description("description.json", msgspec.json.encode(table)) if table else None
    except DocumentError as error:
        raise refused(Code.OTHER, str(error), error.message_fr, rule="description") from error
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        text = f"description of the document: {error}"
        raise refused(Code.OTHER, text, f"description du document : {error}", rule="description") from error
    return Ticket(identity, described, sending)


def _table(name: str, content: bytes) -> dict[str, Any]:
    if PurePath(name).suffix.lower() == ".json":
        return msgspec.json.decode(content, type=dict[str, Any])
    return tomllib.loads(content.decode("utf-8"))
