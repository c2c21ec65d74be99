"""What a person at a desk has to do with INSi: asking about an identity, and the answer that waits to be compared."""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from insigne.ins.remarks import Remark
from insigne.ins.settings import ComparisonSettings
from insigne.ins.status import insi_call_remark
from insigne.insi.jobs import Job, JobKind, in_no_batch
from insigne.insi.outcomes import HeldAnswer, beside
from insigne.insi.ports import InsiTransaction
from insigne.insi.settings import InsiSettings
from insigne.registry.index import ins_key
from insigne.registry.ports import Key
from insigne.registry.state import Identity, WorkItem

#: Why INSi is not asked, by the code of `automation.eligible` or of the service, in English and French.
BARRED = {
    "doubtful-or-fictitious": (
        "INSi is not asked about a doubtful or fictitious identity (EXI ID 26)",
        "une identité douteuse ou fictive n’est pas recherchée dans INSi (EXI ID 26)",
    ),
    "birth-date-completed": (
        "the birth date was completed here: INSi is not asked",
        "la date de naissance a été complétée ici : INSi ne s’interroge pas",
    ),
    "sex-undetermined": ("INSi knows the sexes M and F only", "INSi ne connaît que les sexes M et F"),
    "not-ours": ("another repository manages this identity", "cette identité est gérée par un autre référentiel"),
    "merged": ("this identity was merged", "cette identité a été fusionnée"),
    "no verification adapter": (
        "no verification service is configured (insi.verification.adapter)",
        "aucun service de vérification n’est configuré (insi.verification.adapter)",
    ),
    "no INS to verify": (
        "this identity holds no INS to verify",
        "cette identité ne porte pas d’INS à vérifier",
    ),
}


class HeldReader(Protocol):
    """A view of the base."""

    def work_item(self, item_id: str) -> WorkItem | None:
        """The work item of that id."""
        ...

    def open_work_item(self, key: str) -> str | None:
        """The id of the open work item of that key."""
        ...

    def holders(self, key: Key) -> Iterable[str]:
        """The ids of the identities that hold or held an identifier."""
        ...


def held_answer(view: HeldReader, identity: Identity, settings: ComparisonSettings) -> HeldAnswer | None:
    """The answer of INSi that waits for a person, compared with what the identity is now; None when there is none."""
    item_id = view.open_work_item(f"to-compare|{identity.id}")
    item = view.work_item(item_id) if item_id else None
    return None if item is None else beside(identity, read_held(item), settings)


def read_held(item: WorkItem) -> HeldAnswer:
    """The answer of a work item "to-compare", as it was compared when it came."""
    return msgspec.json.decode(bytes(item.held), type=HeldAnswer)


def held_elsewhere(view: HeldReader, identity_id: str, held: HeldAnswer) -> list[str]:
    """The other identities that hold the INS of an answer, or one that the nation had given the person before it."""
    numbers = (held.answer.ins.matricule, *(past.matricule for past in held.answer.history))
    holders = dict.fromkeys(holder for number in numbers for holder in view.holders(ins_key(number)))
    return [other for other in holders if other != identity_id]


def unadvised(identity: Identity, settings: InsiSettings, *, document_at_hand: bool) -> tuple[Remark | None, bool]:
    """What there is to say before INSi is asked for an INS, and whether it forbids the call (RECO PP 03)."""
    remark = insi_call_remark(identity.status, identity.attributes, document_at_hand=document_at_hand)
    return remark, remark is not None and (remark.code == "insi-blocked" or settings.reco_pp_03 == "block")


def queued(
    transaction: InsiTransaction, identity_id: str, kind: JobKind, author: str, *, now: str, new_id: Callable[[], str]
) -> Job:
    """Queue a question on behalf of a person, due at once. One there is becomes theirs.

    If it is being asked, an answer that comes is theirs too; without one it is asked again, in no batch.
    """
    job = transaction.open_job(identity_id, kind)
    if job is not None and job.state == "calling":
        job = replace(in_no_batch(job), origin="user", author=author)
    else:
        job = Job(new_id() if job is None else job.id, kind, identity_id, "user", author, now, due=now)
    transaction.put_job(job)
    return job


def unneeded(transaction: InsiTransaction, identity_id: str) -> None:
    """End a search of our own about an identity for which an answer waits: its end would close that one unseen."""
    job = transaction.open_job(identity_id, "retrieve")
    if job is not None and job.origin == "automatic":
        transaction.put_job(replace(in_no_batch(job), state="cancelled", outcome="answer-waits", error="", lease=""))
