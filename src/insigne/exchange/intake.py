"""Messages in: one transaction for a batch, one decision and one answer for each message.

A message is decided on a working set of its own over that of the batch; only an accepted one is absorbed, so a bad
message leaves nothing behind and does not spoil its neighbours. Nothing is answered before the transaction is
durable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from insigne.exchange.answers import ApplicationAnswers, Later, in_its_mode
from insigne.exchange.arrival import ACKNOWLEDGED, Arrivals, Read, Reading, Unframed, Unread, defect, defective
from insigne.exchange.errors import StoreBusy, StoreConflict, StoreError, StoreLost
from insigne.exchange.handler import Handler, Outcome
from insigne.exchange.heading import Heading, heading_of
from insigne.exchange.model import Answer, MessageRecord, Received
from insigne.exchange.ports import Follower, Storage, Transaction
from insigne.exchange.reading import header_of
from insigne.exchange.records import record_of, unframed_record
from insigne.exchange.settings import ExchangeSettings, SenderSettings
from insigne.hl7 import AckError, Hl7Error, Location, build_ack
from insigne.pam.replies import refusal_error
from insigne.registry.decision import Refused
from insigne.registry.workingset import WorkingSet

_log = structlog.get_logger("insigne.exchange.intake")
_SEPARATORS = {ord(character): None for character in "-T:"}


@dataclass(slots=True)
class IntakeCounters:
    """What was taken in since the start, by disposition; `alarms` counts control ids used again with other content.

    `reused` says when each sender (MSH-3|MSH-4) last did so.
    """

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    ignored: int = 0
    unframed: int = 0
    alarms: int = 0
    failures: int = 0
    batches: int = 0
    reused: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    """Messages decided on, and their answers, not to be given before `Intake.conclude` has made them durable.

    `work` is the transaction that only has to be committed; None when there is none, because of `failure`.
    """

    items: Sequence[Received | Unframed]
    work: "_Work | None" = None
    answers: Sequence[Answer] = ()
    failure: Exception | None = None


@dataclass(slots=True)
class _Work:
    """A transaction under way."""

    transaction: Transaction
    working: WorkingSet
    now: str
    since: str
    records: list[MessageRecord] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    #: The accepted message of each sender and control id of the batch, earlier ones of the batch included.
    accepted: dict[tuple[str, str], MessageRecord] = field(default_factory=dict)


class Intake:
    """Takes batches of received messages to the registry and the message log."""

    def __init__(
        self,
        storage: Storage,
        handlers: Mapping[str, Handler],
        senders: Sequence[SenderSettings],
        settings: ExchangeSettings,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        followers: Sequence[Follower] = (),
        answers: ApplicationAnswers | None = None,
    ) -> None:
        """`handlers` by MSH-9.1. `clock` gives aware datetimes. `answers`: what sends application acknowledgements."""
        self._followers = tuple(followers)
        self._answers = answers or ApplicationAnswers()
        self._storage = storage
        self._handlers = handlers
        self._arrivals = Arrivals(handlers, senders, new_id)
        self._window = timedelta(days=settings.duplicate_window_days)
        self._clock = clock
        self._new_id = new_id
        self.counters = IntakeCounters()

    def process(self, items: Sequence[Received | Unframed]) -> list[Answer]:
        """Decide, record and commit; the answers, in order. Raises `StoreBusy` as `decide` does."""
        return self.conclude(self.decide([self.read(item) for item in items]))

    def read(self, item: Received | Unframed, written: bytes = b"") -> Reading:
        """Read what arrived, as far as it goes without the base: nothing is changed yet.

        `written`: what another process read of it, if one did (`exchange.elsewhere`).
        """
        return self._arrivals.read(item, written)

    def decide(self, readings: Sequence[Reading]) -> Batch:
        """Decide and record, all but durably: the transaction stays open until `conclude`, which must follow.

        Raises `StoreBusy` when the base has another writer: try again later.
        """
        items = [one.item for one in readings]
        try:
            work, answers = self._decide(readings)
        except StoreBusy:
            raise
        except Exception as error:
            return Batch(items, failure=error)
        return Batch(items, work, answers)

    def conclude(self, batch: Batch) -> list[Answer]:
        """Commit; the answers, in order. May run in another thread than `decide`.

        Raises `StoreBusy` as `decide` does. A base that failed otherwise answers AR 207 and keeps nothing
        (`Answer.durable` is false): the sender keeps its message.
        """
        failure = batch.failure
        if batch.work is not None:
            try:
                self._commit(batch.work)
            except StoreBusy:
                raise
            except Exception as error:
                failure = error
            else:
                return list(batch.answers)
        if isinstance(failure, (StoreConflict, StoreLost)):
            _log.warning("batch replayed", messages=len(batch.items), error=str(failure))
        elif isinstance(failure, StoreError):
            return [self.unavailable(item, str(failure)) for item in batch.items]
        elif failure is not None:  # a defect of ours: only the message it is about may suffer from it
            _log.error("batch replayed", messages=len(batch.items), **defect(failure))
        return [self._alone(item) for item in batch.items]

    def unavailable(self, item: Received | Unframed, reason: str) -> Answer:
        """The answer to a message that cannot be kept now: AR, not recorded, to be sent again.

        `reason` is logged: it holds nothing of the message.
        """
        self.counters.failures += 1
        _log.error("message not kept", reason=reason)
        if isinstance(item, Unframed):
            return Answer(b"", "", "", durable=False)
        code, wanted = in_its_mode(heading_of(header_of(item.raw)), "AR")
        if not wanted:
            return Answer(b"", code, "", durable=False)
        error = AckError("207", text="not kept, nothing was done: send it again later")
        time = hl7_time(self._clock())
        ack = build_ack(item.raw, code, time=time, control_id=self._new_id()[:20], errors=(error,))
        return Answer(ack, code, "", durable=False)

    def _alone(self, item: Received | Unframed) -> Answer:
        try:
            work, [answer] = self._decide([self.read(item)])
            self._commit(work)
        except StoreError as error:
            return self.unavailable(item, str(error))
        except Exception as error:  # a defect of ours, found a second time
            _log.error("message not processed", **defect(error))
            return self.unavailable(item, "internal error")
        return answer

    def _decide(self, readings: Sequence[Reading]) -> tuple[_Work, list[Answer]]:
        """Everything but making it durable; what fails is rolled back."""
        now = self._clock()
        transaction = self._storage.begin()
        try:
            # The base compares times as text: UTC, in the form receptions are recorded in.
            since = (now - self._window).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            work = _Work(transaction, WorkingSet(transaction), hl7_time(now), since)
            self._look_up(work, [one for one in readings if isinstance(one, Read)])
            answers = [self._take(work, one) for one in readings]
            for follower in self._followers:
                follower.follow(work.working, transaction)
            self._answers.queue(work.later, transaction)
            transaction.write(work.working, work.records)
            transaction.seal()
        except BaseException:
            transaction.rollback()
            raise
        return work, answers

    def _commit(self, work: _Work) -> None:
        """Make it durable, or keep nothing of it."""
        try:
            work.transaction.commit()
        finally:
            work.transaction.rollback()
        self.counters.batches += 1
        for record in work.records:
            self._count(record)

    def _count(self, record: MessageRecord) -> None:
        counters = self.counters
        match record.disposition:
            case "accepted" | "answered":
                counters.accepted += 1
            case "duplicate":
                counters.duplicates += 1
            case "ignored":
                counters.ignored += 1
            case "unframed":
                counters.unframed += 1
            case _:
                counters.rejected += 1

    def _look_up(self, batch: _Work, readings: Sequence[Read]) -> None:
        """Read from the base, together, what deciding on the messages of a batch needs."""
        keys = {one.key for one in readings if one.key[1] and not one.item.replay_of}
        if keys:
            batch.accepted.update(batch.transaction.previous(keys, batch.since))
        new = [one for one in readings if one.item.replay_of or one.key not in batch.accepted]
        holders = {key for one in new for key in one.prepared.holders}
        encounters = {key for one in new for key in one.prepared.encounters}
        batch.transaction.prefetch(holders, encounters)

    def _take(self, batch: _Work, one: Reading) -> Answer:
        if isinstance(one, Unread):
            return self._unread(batch, one)
        previous = batch.accepted.get(one.key) if one.key[1] and not one.item.replay_of else None
        if previous is not None:
            return self._repeated(batch, one, previous)
        delivery, outcome = one.delivery, self._decided(batch, one)
        later = self._answers.later(delivery, outcome, batch.now, self._new_id)
        if later is not None:
            batch.later.append(later)
        return self._answer(batch, one.item, delivery.message_id, delivery.heading, outcome, one.digest, later=later)

    def _unread(self, batch: _Work, one: Unread) -> Answer:
        item = one.item
        if isinstance(item, Unframed):
            batch.records.append(unframed_record(one.message_id, item.junk, item.peer, item.time))
            return Answer(b"", "", one.message_id, durable=True)
        if one.outcome is ACKNOWLEDGED:
            batch.records.append(record_of(one.message_id, item, one.heading, one.outcome, b"", b""))
            return Answer(b"", "", one.message_id, durable=True)
        return self._answer(batch, item, one.message_id, one.heading, one.outcome)

    def _repeated(self, batch: _Work, one: Read, previous: MessageRecord) -> Answer:
        item, heading, message_id = one.item, one.delivery.heading, one.delivery.message_id
        if previous.digest == one.digest:
            outcome = Outcome(previous.code, subject=previous.subject)
            record = record_of(message_id, item, heading, outcome, previous.ack, one.digest, disposition="duplicate")
            batch.records.append(record)
            return Answer(previous.ack, previous.code, message_id, durable=True)
        self.counters.alarms += 1
        self.counters.reused[previous.sender] = item.time
        _log.error("control id used again with other content", message=message_id, earlier=previous.id)
        error = AckError(
            "205", "E", Location("MSH", field=10), "this control id was accepted with other content: give it a new one"
        )
        return self._answer(batch, item, message_id, heading, Outcome("AE", (error,)), one.digest)

    def _decided(self, batch: _Work, one: Read) -> Outcome:
        if one.outcome is not None:
            return one.outcome
        delivery = one.delivery
        handler = self._handlers[delivery.heading.code]
        working = WorkingSet(batch.working)
        try:
            outcome = handler.handle(delivery, one.prepared, working)
        except Hl7Error as error:
            return Outcome(error.ack, (AckError.of(error),))
        except Refused as refused:
            return Outcome("AE", (refusal_error(refused),))
        except StoreError:
            raise
        except Exception as error:
            return defective(delivery.message_id, error)
        if outcome.code == "AA":
            batch.working.absorb(working)
        return outcome

    def _answer(
        self,
        batch: _Work,
        item: Received,
        message_id: str,
        heading: Heading,
        outcome: Outcome,
        digest: bytes = b"",
        *,
        later: Later | None = None,
    ) -> Answer:
        code, wanted = in_its_mode(heading, outcome.code if later is None else "AA")
        ack = outcome.reply
        if ack:  # the answer of the application itself, whatever the mode
            code = outcome.code
        elif wanted:
            # Our MSH-10 is the id in the log, shortened to the 20 characters of the standard.
            errors = outcome.errors if later is None else ()
            ack = build_ack(item.raw, code, time=batch.now, control_id=message_id[:20], errors=errors)
        record = record_of(message_id, item, heading, outcome, ack, digest, code=code)
        batch.records.append(record)
        if record.disposition == "accepted":
            batch.accepted[record.sender, record.control_id] = record
        elif record.disposition == "rejected":
            _log.warning(
                "message refused",
                message=message_id,
                peer=item.peer.name,
                code=code,
                conditions=[error.condition for error in outcome.errors],
            )
        return Answer(ack, code, message_id, durable=True)


def hl7_time(moment: datetime) -> str:
    """A moment as an HL7 time stamp with zone: YYYYMMDDHHMMSS+ZZZZ."""
    text = moment.isoformat(timespec="seconds")  # several times faster than strftime, which looks for the zone again
    return text[:19].translate(_SEPARATORS) + text[19:].replace(":", "")
