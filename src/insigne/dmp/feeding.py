"""Carries documents to the DMP: existence (TD0.2), feeding (TD2.1), deletion (TD3.3c), references when in doubt."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import BinaryIO, Final, Literal, Protocol

from insigne.dmp.leaving import is_ours
from insigne.dmp.lots import caller, deletion, feeding
from insigne.dmp.ports import Arrived, Declined, Errand, Failed, Outcome
from insigne.dmp.settings_wire import ServiceSettings
from insigne.dmp.states import ins_text
from insigne.dmp.wire.answers import Judged, judge, judge_fault
from insigne.dmp.wire.answers import Outcome as Meaning
from insigne.dmp.wire.cda import measure
from insigne.dmp.wire.model import (
    Deletion,
    DmpFault,
    Existence,
    Feeding,
    Ins,
    Reference,
    RegistryAnswer,
    VihfContext,
    WireError,
)
from insigne.documents.errors import DocumentError

_REMEMBERED: Final = 4096
"""Patients whose existence test is remembered."""
_WRONG_VERSION: Final = "900"
NO_DMP, CLOSED = "DMPNotFound", "DMPClosed"


class Client(Protocol):
    """The calls of the DMP; `client.DmpClient` is one. Each raises DmpFault, and WireError before anything is sent."""

    def existence(self, ins: Ins, vihf: VihfContext) -> Existence:
        """TD0.2."""
        ...

    def feed(self, feeding: Feeding) -> RegistryAnswer:
        """TD2.1."""
        ...

    def delete(self, deletion: Deletion) -> RegistryAnswer:
        """TD3.3c."""
        ...

    def find(self, unique_id: str, ins: Ins, vihf: VihfContext) -> list[Reference]:
        """TD3.1, limited to references."""
        ...

    def close(self) -> None:
        """Close the connections kept."""
        ...


class DmpCarrier:
    """Carries on `dmp`. Threads may share it."""

    def __init__(
        self,
        client: Client,
        settings: ServiceSettings,
        leaving: Callable[[Errand], BinaryIO],
        *,
        existence_seconds: float,
        clock: Callable[[], datetime],
        new_uuid: Callable[[], str],
    ) -> None:
        """`leaving` gives the CDA of an errand in its last form. `existence_seconds`: see `QueueSettings`."""
        self._client, self._settings, self._leaving = client, settings, leaving
        self._clock, self._new_uuid = clock, new_uuid
        self._existence_seconds = existence_seconds
        self._known: dict[Ins, float] = {}
        self._lock = Lock()

    def close(self) -> None:
        """See `ports.Carrier.close`."""
        self._client.close()

    def carry(self, errand: Errand) -> Outcome:
        """See `ports.Carrier.carry`."""
        try:
            return self._deleted(errand) if errand.action == "delete" else self._fed(errand)
        except DocumentError as error:
            return Declined(error.rule, str(error), "content")
        except WireError as error:
            return Declined("906", str(error), "content")

    # --- feeding

    def _fed(self, errand: Errand) -> Outcome:
        if errand.action == "replace" and _is_unsure(errand):
            found = self._reference(errand)
            if isinstance(found, Failed | Declined):
                return found
            errand = errand if found is not None else replace(errand, action="feed")
        with closing(self._leaving(errand)) as content:
            refused = self._existence(errand)
            if refused is not None:
                return refused
            replaces = ""
            if errand.action == "replace":
                found = self._reference(errand)
                if isinstance(found, Failed | Declined):
                    return found
                if found is None:
                    return Declined(_WRONG_VERSION, "the DMP does not know the version to replace", _unknown(errand))
                replaces = found.entry_uuid
            made = feeding(
                errand.document, content, errand.ins, self._settings, now=self._clock(), new_uuid=self._new_uuid,
                replaces=replaces,
            )  # fmt: skip
            try:
                answer = self._client.feed(made)
            except DmpFault as fault:
                return self._failed(fault, sending=True)
            judged = judge(answer, self._settings.codes)
            if judged.outcome is Meaning.DUPLICATE or (errand.repeated and judged.outcome is Meaning.REFUSED):
                return self._duplicate(errand, content, judged)
        if judged.outcome is Meaning.ACCEPTED:
            return Arrived(entry="", code=judged.code, text=judged.text)
        return self._judged(judged)

    def _existence(self, errand: Errand) -> Outcome | None:
        """Whether there is a DMP to feed; what it said is used again for the same INS for a while."""
        now = time.monotonic()
        with self._lock:
            if self._known.get(errand.ins, 0.0) > now:
                return None
        try:
            found = self._client.existence(errand.ins, self._caller(errand))
        except DmpFault as fault:
            return self._failed(fault, sending=False)
        if not found.exists:
            return Declined(NO_DMP, "the patient has no DMP", "no-dmp")
        if not found.open:
            return Declined(CLOSED, "the patient's DMP is closed", "no-dmp")
        with self._lock:
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[errand.ins] = now + self._existence_seconds
        return None

    def _duplicate(self, errand: Errand, content: BinaryIO, judged: Judged) -> Outcome:
        """The DMP has that unique id, or refuses what it may have taken: the same document counts as fed."""
        try:
            found = self._client.find(errand.document.unique_id, errand.ins, self._caller(errand))
        except DmpFault as fault:
            return self._failed(fault, sending=True)
        standing = [one for one in found if one.status in {"approved", ""}]
        content.seek(0)
        sha1 = measure(content).sha1
        if any(one.hash == sha1 for one in standing):
            return Arrived(entry=standing[0].entry_uuid, code=judged.code, text="it was there already")
        if standing and errand.repeated and is_ours(errand.document):
            # Built here, of the same file, for the same patient: an address changed between two calls, nothing more.
            return Arrived(entry=standing[0].entry_uuid, code=judged.code, text="it was there already")
        return Declined(judged.code, judged.text, certain=not standing)

    # --- deletion

    def _deleted(self, errand: Errand) -> Outcome:
        found = self._reference(errand)
        if isinstance(found, Failed | Declined):
            return found
        if found is None:
            # What went under another INS of the patient may still be there: it is not told deleted.
            here = errand.target is not None and errand.target.ins in ("", ins_text(errand.ins))
            unknown = Declined(_WRONG_VERSION, "the DMP does not know the document to delete", _unknown(errand))
            return Arrived(nothing_there=True) if here else unknown
        if found.status == "deleted":
            return Arrived(entry=found.entry_uuid, text="it was deleted already")
        document = errand.target_document or errand.document
        made = deletion(
            document, found.entry_uuid, errand.ins, self._settings, now=self._clock(), new_uuid=self._new_uuid,
            status=found.status or "approved",
        )  # fmt: skip
        try:
            answer = self._client.delete(made)
        except DmpFault as fault:
            return self._failed(fault, sending=True)
        judged = judge(answer, self._settings.codes)
        if judged.outcome is Meaning.ACCEPTED:
            return Arrived(entry=found.entry_uuid)
        return self._judged(judged)

    def _reference(self, errand: Errand) -> Reference | Declined | Failed | None:
        """What the DMP knows of the version to replace or delete, None when it does not know it.

        Its entryUUID changes: it is asked each time.
        """
        wanted = errand.document.parent if errand.target_document is None else errand.target_document.unique_id
        try:
            found = self._client.find(wanted, errand.ins, self._caller(errand))
        except DmpFault as fault:
            return self._failed(fault, sending=False)
        for status in ("approved", "", "deprecated", "archived", "deleted"):
            for one in found:
                if one.status == status:
                    return one
        return None

    # --- what it means

    def _caller(self, errand: Errand) -> VihfContext:
        document = errand.document
        return caller(self._settings, document.sender, secret=document.flags.secret_connection)

    def _judged(self, judged: Judged) -> Outcome:
        match judged.outcome:
            case Meaning.TECHNICAL:
                return Failed(judged.code, judged.text, evidence="ailing")
            case Meaning.OUTAGE:
                return Failed(judged.code, judged.text, evidence="down")
            case _:
                return Declined(judged.code, judged.text)

    def _failed(self, fault: DmpFault, *, sending: bool) -> Failed | Declined:
        """A call without an answer. `sending`: what it asked may have been done all the same."""
        judged = judge_fault(fault, self._settings.codes)
        if judged.outcome is Meaning.REFUSED:
            return Declined(judged.code, judged.text)
        evidence: Literal["down", "ailing"] = "down" if judged.outcome is Meaning.OUTAGE else "ailing"
        return Failed(judged.code, judged.text, sent=sending and fault.sent, evidence=evidence)


def _is_unsure(errand: Errand) -> bool:
    """Whether the version to replace was refused after a call of unknown outcome: it may never have arrived."""
    return errand.target is not None and errand.target.state == "refused"


def _unknown(errand: Errand) -> str:
    """Why the DMP does not know the version meant: it never came here either, or it is there no more."""
    return "predecessor-unknown" if errand.target is None else "predecessor-gone"
