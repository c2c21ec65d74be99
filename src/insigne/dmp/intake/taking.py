"""The last step of every way in: patient, versions and reception, all documents of a message or none."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from insigne.dmp.intake.body import Body
from insigne.dmp.intake.codes import Code, refused
from insigne.dmp.intake.header import Header
from insigne.dmp.intake.patient import PLACE, compare
from insigne.dmp.intake.settings import Intake
from insigne.dmp.intake.versions import check_version
from insigne.dmp.model import Document, Sending
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.reception import ReceptionRefused, receive, verify
from insigne.hl7 import Location
from insigne.registry.ports import View
from insigne.registry.state import Identity
from insigne.registry.values import Authority, Identifier, Ins

_encode: Final = msgspec.json.Encoder().encode
INS_TYPE: Final = "INS"
_DOCUMENT: Final = Location("OBX", field=5)


class Candidate(Struct, frozen=True):
    """A document about to be taken: `document` lacks only its patient. `header` is None when it is not a CDA."""

    document: Document
    body: Body | None
    header: Header | None


def patient_json(identifiers: Sequence[Identifier], ins: Ins | None) -> bytes:
    """The identifiers received with a document, as `Document.patient` keeps them; the INS among them."""
    national: list[Any] = (
        [Identifier(INS_TYPE, Authority("", ins.oid, "ISO"), ins.matricule)] if ins is not None else []
    )
    return _encode([*identifiers, *national])


def take(
    view: View,
    transaction: DocumentTransaction,
    candidates: Sequence[Candidate],
    identity: Identity,
    identifiers: Sequence[Identifier],
    ins: Ins | None,
    intake: Intake,
) -> list[Sending]:
    """Take documents of one patient: all, or none. The caller commits. `view` sees what the transaction does not yet.

    Raises IntakeRefused; then nothing was written.
    """
    _check_apart([one.document for one in candidates])
    for one in candidates:
        if one.header is not None:
            compare(view, identity, one.header.patient, identifiers, ins, intake.site.settings.without_ins)
        check_version(transaction, one.document, intake.settings.other_authors)
    said = patient_json(identifiers, ins)
    whole = [replace(one.document, identity=identity.id, patient=said) for one in candidates]
    try:
        for document in whole:
            verify(transaction, document, identity, intake.site, view)
        taken: list[Sending] = []
        for one, document in zip(candidates, whole, strict=True):
            content = one.body.pieces() if one.body is not None else None
            taken += receive(transaction, document, content, identity, intake.site, view)
    except ReceptionRefused as error:
        raise refused(Code(error.code), error.text, error.text_fr, PLACE, "reception") from None
    return taken


def _check_apart(documents: Sequence[Document]) -> None:
    """Two documents of a message are two, and replace two: it must be known before the first one is written."""
    for named in ([one.unique_id for one in documents], [one.parent for one in documents if one.parent]):
        if len(set(named)) < len(named):
            text = "two documents of one message have the same unique id, or replace or delete the same version"
            text_fr = "deux documents d’un message ont le même identifiant unique, ou visent la même version"
            raise refused(Code.WRONG_VERSION, text, text_fr, _DOCUMENT, "reception")
