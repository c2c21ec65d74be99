"""Documents received by mail: the archive found in a mail, its documents checked against what its metadata say."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from typing import Final

from insigne.dmp.mss.cda import Cda, CdaError, read_cda
from insigne.dmp.mss.mail import ARCHIVE, SUBJECT, header_of
from insigne.dmp.mss.metadata import Act, Entry, read_metadata
from insigne.dmp.mss.xdm import Subset, XdmError, read
from insigne.dmp.settings_mss import MssSettings
from insigne.dmp.wire.model import WireError
from insigne.documents.cda.who import several_patients

_ZIP: Final = frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"})
_ANY_FILE: Final = "application/octet-stream"
_CDA: Final = frozenset({"text/xml", "application/xml", "application/xslt+xml", ""})
OTHER_INS: Final = "904"
"""Application code of a document whose INS is not one patient's (table 0533 of the volet)."""
OTHER: Final = "906"
"""Application code of what no other code says."""


class NotTaken(ValueError):  # noqa: N818 - what the sender is told
    """Documents that cannot be handed on. `code` is of the table 0533, the texts are for the sender, in French."""

    def __init__(self, text: str, code: str = OTHER) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Received:
    """A document out of an archive: its bytes, its header, what the metadata say, what is asked."""

    entry: Entry
    cda: Cda
    content: bytes = field(repr=False)

    @property
    def action(self) -> Act:
        """What is asked: by the metadata, else by the document itself."""
        if self.entry.action:
            return self.entry.action
        return "C" if self.entry.replaces or self.cda.parent[0] else ""


def archive_of(mail: EmailMessage) -> bytes | None:
    """Return the archive a mail carries; None when it carries none.

    One that somebody forwards as an attachment is looked into as well.
    """
    best = None
    for part in mail.walk():
        name = (part.get_filename() or "").casefold()
        kind = part.get_content_type()
        if name == ARCHIVE.casefold() or (
            best is None and (kind in _ZIP or (kind == _ANY_FILE and name.endswith(".zip")))
        ):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                best = content
                if name == ARCHIVE.casefold():
                    break
    return best


def carries_documents(mail: EmailMessage) -> bool:
    """Whether a mail carries an archive, or says so by its subject. Who answers one ("Re: XDM/1.0…") says something."""
    announced = header_of(mail, "Subject").casefold().startswith(SUBJECT[:-1].casefold())
    return announced or archive_of(mail) is not None


def documents_of(archive: bytes | None, settings: MssSettings) -> list[Received]:
    """Return the CDA of an archive. Raises NotTaken: none, an archive or a document that cannot be read, that metadata
    and files contradict, or no CDA in it.
    """
    if archive is None:
        raise NotTaken("Le courriel ne porte pas d’archive IHE_XDM.zip.")
    try:
        subsets = read(io.BytesIO(archive), settings.xdm)
        found = [one for subset in subsets for one in _documents(subset, settings)]
    except XdmError:
        raise NotTaken("L’archive IHE_XDM.zip ne peut pas être lue.") from None
    except WireError:
        raise NotTaken("Le fichier METADATA.XML de l’archive ne peut pas être lu.") from None
    except CdaError:
        raise NotTaken("Un document de l’archive n’est pas un CDA-R2 lisible.") from None
    if not found:
        raise NotTaken("L’archive ne contient aucun document CDA-R2.")
    return found


def _documents(subset: Subset, settings: MssSettings) -> Iterator[Received]:
    for entry in read_metadata(subset.metadata, settings.action_slot):
        if entry.mime.casefold() not in _CDA:
            continue
        content = subset.file(entry.uri) if entry.uri else None
        if content is None:
            raise NotTaken("Un document décrit par METADATA.XML est absent de l’archive.")
        _intact(content, entry)
        cda = read_cda(content)
        if several_patients(cda.root):
            raise NotTaken("Un document de l’archive porte plusieurs patients, ou plusieurs INS.", OTHER_INS)
        if entry.unique_id and entry.unique_id != cda.unique_id:
            raise NotTaken("L’identifiant d’un document diffère entre METADATA.XML et le document.")
        if entry.patient is not None and cda.patient.ins is not None and entry.patient != cda.patient.ins:
            raise NotTaken("L’INS diffère entre METADATA.XML et le document.", OTHER_INS)
        yield Received(entry, cda, content)


def _intact(content: bytes, entry: Entry) -> None:
    """The bytes are those the metadata measured."""
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if (entry.sha1 and entry.sha1 != sha1) or (entry.size is not None and entry.size != len(content)):
        raise NotTaken("Un document de l’archive n’a pas l’empreinte ou la taille annoncée : il a été modifié.")


def text_of(mail: EmailMessage) -> str:
    """Return the body of a mail, as text."""
    body = mail.get_body(("plain", "html"))
    content = body.get_payload(decode=True) if isinstance(body, Message) else None
    charset = (body.get_content_charset() if isinstance(body, Message) else None) or "utf-8"
    if not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(charset, "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode("utf-8")  # some character sets give halves of characters
