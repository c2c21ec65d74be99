"""Documents that come without a message: by HTTP, in a folder, by the command line."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from insigne.dmp.intake.body import CDA, PDF, Body
from insigne.dmp.intake.codes import Code, refused
from insigne.dmp.intake.header import Header
from insigne.dmp.intake.judge import check_announced, check_document, check_recipients, check_visibility, header_of
from insigne.dmp.intake.matrix import channels
from insigne.dmp.intake.participants import Participants, is_address
from insigne.dmp.intake.settings import Intake
from insigne.dmp.intake.taking import Candidate, take
from insigne.dmp.intake.ticket import Ticket
from insigne.dmp.model import Channel, Document, Flags, Intent, Sender, Sending, StayRef
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.whose import standing
from insigne.documents.cda.description import Description
from insigne.registry.ports import View
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.registry.values import Identifier
from insigne.registry.workingset import WorkingSet

_SIGNATURE: Final = b"%PDF-"
_START: Final = 1024
_SPACE: Final = uuid.UUID("6f1d5b0e-0c7b-5a52-9b0a-51a0f5d9b8c3")
_encode: Final = msgspec.json.Encoder().encode


_PATIENCE: Final = 10.0
"""Seconds that a document waits for another writer of the base."""


class Storage(Protocol):
    """Where documents are kept."""

    def begin(self, wait: float | None = None) -> DocumentTransaction:
        """See `exchange.ports.Storage.begin`."""
        ...


Named = Callable[[str], Sequence[str]]
"""Gives the ids of the identities that a text names ("AUTHORITY|VALUE", or an id of the base)."""


class Taken(Struct, frozen=True):
    """What was taken: the document, its patient, its sendings in the state they begin with."""

    document: str
    unique_id: str
    identity: str
    sendings: tuple[Sending, ...]


class Submission(Struct, frozen=True):
    """A document and what comes with it; `body` is None for a deletion without one.

    `source` is "http:TOKEN", "folder:NAME" or "cli".
    """

    source: str
    ticket: Ticket
    body: Body | None


class _Said(Struct, frozen=True):
    """What a document says of itself, in its header or in its description."""

    unique_id: str
    set_id: str = ""
    version: int = 1
    parent: str = ""
    type_code: str = ""
    title: str = ""
    confidentiality: str = ""
    created: str = ""
    sender: Sender = Sender()
    description: bytes = b""
    body: Body | None = None
    media: str = CDA


class DirectIntake:
    """Takes documents one at a time, each in a transaction of its own."""

    def __init__(self, storage: Storage, named: Named, merged: Named, intake: Intake) -> None:
        """`named` gives the identities that stand, merges followed; `merged` those that were merged, themselves."""
        self._storage = storage
        self._named = named
        self._merged = merged
        self._intake = intake

    def submit(self, submission: Submission) -> Taken:
        """Take a document; durable when it returns. Raises IntakeRefused, StoreError; nothing is kept then."""
        candidate, ways = self._candidate(submission)
        transaction = self._storage.begin(_PATIENCE)
        try:
            working = WorkingSet(transaction)
            identity = self._patient(working, submission.ticket.identity)
            said = self._said(working, identity, submission.ticket.identity)
            held = identity.ins.ins if identity.recovered and identity.ins is not None else None
            domain = self._intake.site.settings.mss.patient_domain
            check_recipients(candidate.document.flags, ways, _mailed(submission.ticket), held, domain)
            sendings = take(working, transaction, [candidate], identity, said, None, self._intake)
            transaction.commit()
        finally:
            transaction.rollback()
        document = candidate.document
        known = sendings[0].document if sendings else document.id  # another one when it had been received before
        return Taken(known, document.unique_id, identity.id, tuple(sendings))

    def _patient(self, view: View, text: str) -> Identity:
        if not text:
            raise refused(Code.UNKNOWN_PATIENT, "whose document it is is not said", "le patient n’est pas indiqué")
        states = [standing(view, one) for one in self._named(text)]
        found = list({one.id: one for one in states if one is not None}.values())
        if not found:
            text_fr = "aucune identité connue sous cet identifiant"
            raise refused(Code.UNKNOWN_PATIENT, "no identity is known by this identifier", text_fr, rule="patient")
        if len(found) > 1:
            text_fr = "cet identifiant désigne plusieurs identités"
            raise refused(Code.OTHER, "this identifier names several identities", text_fr, rule="patient")
        return found[0]

    def _said(self, view: View, identity: Identity, text: str) -> tuple[Identifier, ...]:
        """The identifier by which the patient was named, so that the document follows it if a merge is undone.

        It is held by the identity that was merged; all of its own, when it was named by its id in the base.
        """
        value = text.rpartition("|")[2].strip()
        absorbed = [one for named in self._merged(text) if (one := view.identity(named)) is not None]
        meant = [one for one in absorbed if (stands := standing(view, one.id)) is not None and stands.id == identity.id]
        return tuple(
            held.identifier
            for one in (identity, *meant)
            for held in one.identifiers
            if held.current and held.identifier.type in PERSON_TYPES
            if held.identifier.value == value or (one.merged_into and one.id == value)
        )

    def _candidate(self, submission: Submission) -> tuple[Candidate, tuple[Channel, ...]]:
        """The document, judged as far as it can be without the registry."""
        ticket, settings = submission.ticket, self._intake.settings
        flags = ticket.sending.flags
        ways = channels(flags, settings.matrix)
        check_visibility(flags, ways, settings.masked_and_hidden)
        if submission.body is None:
            return Candidate(self._deletion(submission), None, None), ways
        if _SIGNATURE in submission.body.start(_START):
            return Candidate(self._pdf(submission, submission.body), submission.body, None), ways
        return self._cda(submission, submission.body, ways), ways

    def _cda(self, submission: Submission, body: Body, ways: tuple[Channel, ...]) -> Candidate:
        if submission.ticket.description is not None:
            text, text_fr = "a CDA describes itself: leave its description out", "un CDA se décrit lui-même"
            raise refused(Code.OTHER, text, text_fr, rule="description")
        header = header_of(body)
        intent = submission.ticket.sending.intent or (Intent.REPLACE if header.parent else Intent.INITIAL)
        parent = check_announced(header, intent, "", submission.ticket.sending.unique_id, "")
        check_document(header, intent, ways, self._intake.checks, self._intake.settings.faults)
        return Candidate(self._document(submission, intent, _of_header(header, parent, body)), body, header)

    def _pdf(self, submission: Submission, body: Body) -> Document:
        """A PDF: the CDA is made of it when it leaves."""
        told = submission.ticket.description
        if told is None:
            text, text_fr = "a PDF comes with its description", "un PDF est accompagné de sa description"
            raise refused(Code.OTHER, text, text_fr, rule="description")
        told = replace(told, id=told.id or _oid_of(submission, body))
        intent = submission.ticket.sending.intent or (Intent.REPLACE if told.replaces else Intent.INITIAL)
        if intent is Intent.DELETE or (intent is Intent.REPLACE) != bool(told.replaces):
            text = "the intent and the description contradict each other: replaces goes with a replacement"
            text_fr = "l’intention et la description se contredisent : replaces va avec un remplacement"
            raise refused(Code.WRONG_VERSION, text, text_fr, rule="intent")
        return self._document(submission, intent, _of_description(told, body))

    def _deletion(self, submission: Submission) -> Document:
        sending = submission.ticket.sending
        if sending.intent is not Intent.DELETE or not sending.unique_id:
            text = "no document: only a deletion comes without one, and names it by sending.unique_id"
            text_fr = "aucun document : seule une suppression s’en passe, en le nommant par sending.unique_id"
            raise refused(Code.OTHER, text, text_fr, rule="intent")
        return self._document(submission, Intent.DELETE, _Said(sending.unique_id, parent=sending.unique_id))

    def _document(self, submission: Submission, intent: Intent, said: _Said) -> Document:
        sending, site = submission.ticket.sending, self._intake.site
        now = site.now()
        return Document(
            id=site.new_id(),
            received=now,
            source=submission.source,
            message="",
            control_id=sending.control_id,
            sending="",
            intent=intent,
            unique_id=said.unique_id,
            set_id=said.set_id or said.unique_id,
            version=said.version,
            parent=said.parent,
            type_code=said.type_code,
            title=said.title,
            confidentiality=said.confidentiality,
            created=said.created or now,
            identity="",
            patient=b"",
            content=said.body.content(said.media) if said.body is not None else None,
            description=said.description,
            flags=Flags(**asdict(sending.flags)),
            sender=Sender(**asdict(sending.sender)) if sending.sender is not None else said.sender,
            recipients=tuple(dict.fromkeys(sending.recipients)),
            reply_to=sending.reply_to,
            mail_professionals=sending.mail_professionals,
            mail_patient=sending.mail_patient,
            stay=StayRef(**asdict(sending.stay)),
            facility=sending.facility,
        )


def _of_header(header: Header, parent: str, body: Body) -> _Said:
    return _Said(
        unique_id=header.unique_id,
        set_id=header.set_id,
        version=header.version,
        parent=parent,
        type_code=header.type_code,
        title=header.title,
        confidentiality=header.confidentiality,
        created=header.created,
        sender=header.author,
        body=body,
    )


def _of_description(told: Description, body: Body) -> _Said:
    author = told.author
    structure = author.organization or told.custodian
    return _Said(
        unique_id=told.id,
        set_id=told.set_id,
        version=told.version,
        parent=told.replaces,
        type_code=told.code,
        title=told.title,
        confidentiality=told.confidentiality,
        created=told.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        sender=Sender(
            person_id=author.id,
            family=author.family,
            given=author.given,
            structure_id=structure.id if structure is not None else "",
            structure_name=structure.name if structure is not None else "",
        ),
        description=_encode(told),
        body=body,
        media=PDF,
    )


def _oid_of(submission: Submission, body: Body) -> str:
    """The id of a document that came without one: the same each time the same document comes (ITU-T X.667, 2.25)."""
    name = f"{submission.ticket.identity}|{body.digest}|{_encode(submission.ticket.description).decode()}"
    return f"2.25.{uuid.uuid5(_SPACE, name).int}"


def _mailed(ticket: Ticket) -> Participants:
    usable = tuple(one for one in ticket.sending.recipients if is_address(one))
    return Participants(recipients=usable, unreadable=len(ticket.sending.recipients) - len(usable))
