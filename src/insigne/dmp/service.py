"""The queue of documents at work: look again, claim, call, record. One cycle is safe against a kill at any point.

Claiming gives a lease, and notes the INS the document is about to leave under. Calls are made outside any transaction,
each after a last look at the identity. What came of them is written in one transaction, if the claim still holds: a
sending whose worker died is claimed again and its call made again, as one that may have gone through.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from traceback import extract_tb
from typing import Final

import structlog
from msgspec.structs import replace

from insigne.dmp.contents import opened
from insigne.dmp.judging import Patient, is_prepared, judged, patient_of
from insigne.dmp.ledger import Ledger
from insigne.dmp.model import Channel, Document, Sending
from insigne.dmp.ports import Carrier, Declined, DocumentStorage, Errand, Failed, Outcome
from insigne.dmp.recording import put_off, record
from insigne.dmp.reviewing import Reviewer
from insigne.dmp.site import Site
from insigne.dmp.states import effective, ins_text, qualified_ins
from insigne.exchange.errors import StoreError
from insigne.exchange.persistence import persistently
from insigne.net.breaker import BreakerState, Change, CircuitBreaker, Evidence
from insigne.registry.values import Ins

_log = structlog.get_logger("insigne.dmp")
_WRITE_WAIT = 5.0
_DEFECT: Final = timedelta(hours=1)
"""How long a document waits that a defect of ours keeps from being judged, or its outcome from being recorded."""


@dataclass(slots=True)
class DmpCounters:
    """Since the start: what came of the calls, outages."""

    arrived: int = 0
    refused: int = 0
    faults: int = 0
    outages: int = 0


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A sending taken to be called. `unsure`: an earlier call of it may have gone through."""

    document: Document
    sending: Sending
    unsure: bool


@dataclass(frozen=True, slots=True)
class _Called:
    """What came of it; `outcome` None when no call was made."""

    claimed: _Claimed
    errand: Errand | None
    outcome: Outcome | None


class DmpService:
    """Works through documents. One thread calls `work`; it makes calls in several."""

    def __init__(
        self,
        storage: DocumentStorage,
        site: Site,
        carriers: Mapping[Channel, Carrier],
        *,
        clock: Callable[[], datetime],
        chance: Random,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`carriers`: a channel without one keeps its documents. `clock` gives aware datetimes, as `site.now`; `sleep`
        waits for the base.
        """
        self._storage = storage
        self._site = site
        self._carriers = carriers
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        queue = site.settings.queue
        self._queue = queue
        self._backoff = queue.retry.backoff()
        self._pool = ThreadPoolExecutor(queue.parallel, "insigne-dmp-call")
        self.breakers = {channel: CircuitBreaker(queue.breaker.rule()) for channel in carriers}
        self.counters = DmpCounters()
        self._reviewer = Reviewer(storage, site, clock)

    def work(self) -> int:
        """Look again at a page of documents, then make the calls that are due; how many of both. Raises StoreError."""
        return self.look_again() + self.call()

    def look_again(self) -> int:
        """Evaluate again a page of the documents whose patients changed; how many were looked at."""
        return self._reviewer.look_again()

    def close(self) -> None:
        """Close connections; what is in hand ends."""
        self._pool.shutdown(wait=True)
        for carrier in set(self._carriers.values()):
            carrier.close()

    # --- calling

    def call(self) -> int:
        """Make the calls that are due; how many. During an outage of a channel one is made at a time, to see."""
        claimed = self._claim()
        if not claimed:
            return 0
        called = list(self._pool.map(self._called, claimed))
        self._finish(called)
        return len(called)

    def _open_channels(self) -> dict[Channel, int]:
        """The channels that may be called now, with how many calls."""
        now = time.monotonic()
        allowed: dict[Channel, int] = {}
        for channel, breaker in self.breakers.items():
            if breaker.state(now) is BreakerState.CLOSED:
                allowed[channel] = self._queue.batch
            elif breaker.allows(now):
                allowed[channel] = 1
        return allowed

    def _claim(self) -> list[_Claimed]:
        """Take what is due on the channels that may be called.

        When a defect of ours comes up, one is taken after the other, and the one it is about is put off: the others go.
        """
        allowed = self._open_channels()
        if not allowed:
            return []
        try:
            return self._claim_at_once(allowed)
        except StoreError:
            raise
        except Exception:  # told once it is known about which
            return [one for channel, most in allowed.items() for one in self._claim_apart(channel, most)]

    def _claim_apart(self, channel: Channel, most: int) -> list[_Claimed]:
        claimed: list[_Claimed] = []
        for _ in range(most):
            try:
                claimed += self._claim_at_once({channel: 1})
            except StoreError:
                raise
            except Exception as error:
                self._put_off_defect(channel, error)
        return claimed

    def _put_off_defect(self, channel: Channel, error: Exception) -> None:
        """Have the first that is due wait, without judging it: an earlier call of it is still known."""
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            for one in transaction.due_sendings(channel, self._site.now(), 1):
                _log.error("dmp.claim-defect", sending=one.id, error=type(error).__name__)
                transaction.put_sending(self._later(one))
            transaction.commit()
        finally:
            transaction.rollback()

    def _later(self, sending: Sending) -> Sending:
        """A sending that a defect of ours is about, given back as it is: what may have left of it is still known."""
        due = _text(self._clock() + _DEFECT)
        return replace(sending, state="ready", reason="fault", lease="", due=due, code="internal", text="")

    def _claim_at_once(self, allowed: Mapping[Channel, int]) -> list[_Claimed]:
        claimed: list[_Claimed] = []
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            ledger = Ledger(transaction, self._site)
            now = self._site.now()
            for channel, most in allowed.items():
                taken = [self._claimed(ledger, one) for one in transaction.due_sendings(channel, now, most)]
                found = [one for one in taken if one is not None]
                if not found:
                    self.breakers[channel].forgo()
                claimed += found
            ledger.close()
            transaction.commit()
        finally:
            transaction.rollback()
        return claimed

    def _claimed(self, ledger: Ledger, due: Sending) -> _Claimed | None:
        """Take a sending, noting what it leaves under; None when it may not leave any more."""
        document = ledger.transaction.document(due.document)
        if document is None:
            return None
        unsure = bool(due.sent) if due.action == "delete" else bool(due.ins)
        if due.state == "calling":  # its worker died
            due = ledger.put(replace(due, state="ready", lease=""))
        patient = ledger.patient(document, due)
        due = ledger.review(document, due, patient)
        ins = _ins_of(document, due, patient, self._site)
        if due.state != "ready" or ins is None:
            return None
        lease = _text(self._clock() + timedelta(seconds=self._queue.lease_seconds))
        marks = {} if due.action == "delete" else {"ins": ins_text(ins)}
        sending = replace(
            due, state="calling", since=ledger.now, attempts=due.attempts + 1, lease=lease, sent=ledger.now, **marks
        )
        return _Claimed(document, ledger.put(sending), unsure)

    def _called(self, claimed: _Claimed) -> _Called:
        """Make the call, unless the patient changed since it was claimed."""
        carrier = self._carriers[claimed.sending.channel]
        if self.breakers[claimed.sending.channel].state(time.monotonic()) is BreakerState.OPEN:
            return _Called(claimed, None, None)
        try:
            errand = self._errand(claimed)
            outcome = carrier.carry(errand) if errand is not None else None
        except Exception as error:  # a defect of ours: this one waits, with the rest of the queue behind it going on
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
            _log.error("dmp.call-defect", sending=claimed.sending.id, error=type(error).__name__, frames=frames)
            return _Called(claimed, None, Failed("internal", type(error).__name__, sent=True, evidence="alive"))
        if outcome is not None and not _is_ours(outcome):
            self._tell(claimed.sending, outcome)
        return _Called(claimed, errand, outcome)

    def _errand(self, claimed: _Claimed) -> Errand | None:
        """What is to be carried, as of now; None when it may not be any more."""
        document, sending = claimed.document, claimed.sending
        with self._storage.read() as view:
            current = view.sending(sending.id)
            if current is None or not _is_claim(current, sending) or self._site.now() >= sending.lease:
                return None  # taken up by another worker, or about to be
            patient = patient_of(view, self._site, document, sending)
            asked = replace(sending, state="ready", sent=sending.sent if claimed.unsure else "")
            verdict, target = judged(view, self._site, document, asked, patient)
            ins = _ins_of(document, sending, patient, self._site)
        if verdict.state != "ready" or ins is None or (sending.action != "delete" and ins_text(ins) != sending.ins):
            return None
        content = document.content or (target[0].content if target is not None else None)
        return Errand(
            document=document,
            sending=sending,
            action=effective(sending, target[1] if target is not None else None),
            ins=ins,
            identity=patient.identity,
            target=target[1] if target is not None else None,
            target_document=target[0] if target is not None else None,
            repeated=claimed.unsure,
            content=partial(opened, self._storage.read, content) if content is not None else None,
        )

    def _tell(self, sending: Sending, outcome: Outcome) -> None:
        """Tell the breaker of the channel, and the log at the start and at the end of an outage: once each."""
        evidence = Evidence(outcome.evidence) if isinstance(outcome, Failed) else Evidence.ALIVE
        change = self.breakers[sending.channel].record(evidence, sending.identity, time.monotonic())
        if change is Change.OPENED:
            self.counters.outages += 1
            _log.error("dmp.outage", channel=sending.channel, code=outcome.code)
        elif change is Change.CLOSED:
            _log.info("dmp.outage-over", channel=sending.channel)

    # --- recording

    def _finish(self, called: Sequence[_Called]) -> None:
        """Record what came of calls, persistently.

        Recording twice what a lost connection may have recorded changes nothing: the claims are over.
        """
        try:
            persistently(lambda: self._record(called), self._sleep, self._chance)
        except StoreError:
            raise
        except Exception:  # a defect of ours, told once it is known about which
            for one in called:
                self._finish_apart(one)

    def _finish_apart(self, one: _Called) -> None:
        """Record what came of one call; one that a defect keeps from being recorded is made again, as one unsure."""
        try:
            persistently(lambda: self._record([one]), self._sleep, self._chance)
        except StoreError:
            raise
        except Exception as error:
            _log.error("dmp.record-defect", sending=one.claimed.sending.id, error=type(error).__name__)
            persistently(lambda: self._give_back(one.claimed), self._sleep, self._chance)

    def _give_back(self, claimed: _Claimed) -> None:
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            current = transaction.sending(claimed.sending.id)
            if current is not None and _is_claim(current, claimed.sending):
                transaction.put_sending(self._later(current))
                transaction.commit()
        finally:
            transaction.rollback()

    def _record(self, called: Sequence[_Called]) -> None:
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            ledger = Ledger(transaction, self._site)
            for one in called:
                self._record_one(ledger, one)
            ledger.close()
            transaction.commit()
        finally:
            transaction.rollback()
        for one in called:
            self._count(one.outcome)

    def _record_one(self, ledger: Ledger, one: _Called) -> None:
        """Write what came of a call; nothing when the claim was lost meanwhile."""
        claimed = one.claimed
        current = ledger.transaction.sending(claimed.sending.id)
        if one.outcome is None or _is_ours(one.outcome):
            self.breakers[claimed.sending.channel].forgo()
        if current is None or not _is_claim(current, claimed.sending):
            return
        if one.outcome is None:
            put_off(ledger, current, unsure=claimed.unsure)
            return
        delay = self._backoff.delay(current.attempts, self._chance.random())
        due = _text(self._clock() + timedelta(seconds=delay))
        action = one.errand.action if one.errand is not None else current.action
        record(ledger, claimed.document, current, action, one.outcome, unsure=claimed.unsure, due=due)

    def _count(self, outcome: Outcome | None) -> None:
        match outcome:
            case None:
                return
            case Declined():
                self.counters.refused += 1
            case Failed():
                self.counters.faults += 1
            case _:
                self.counters.arrived += 1


def _is_ours(outcome: Outcome) -> bool:
    """Whether a document was found unfit here: that tells nothing of the other end."""
    return isinstance(outcome, Declined) and outcome.reason == "content"


def _is_claim(current: Sending, claimed: Sending) -> bool:
    """Whether a sending is still the one that was claimed."""
    return (current.state, current.attempts, current.lease) == ("calling", claimed.attempts, claimed.lease)


def _ins_of(document: Document, sending: Sending, patient: Patient, site: Site) -> Ins | None:
    """The INS a sending goes under now; None when it may not."""
    if is_prepared(document, sending):
        oid, _, matricule = sending.ins.partition("|")
        return Ins(matricule, oid)
    return qualified_ins(patient.identity, site.environment)


def _text(moment: datetime) -> str:
    """A moment as the base writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
