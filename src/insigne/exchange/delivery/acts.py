"""What a person does about a message that was, or was not, sent. The caller records the act and commits.

A row that still has its place in the queue keeps it: a message edited, or tried anew, goes where it would have gone.
One that ended is left as it is, settled, and another row is queued at the end.
"""

from typing import Final

from insigne.exchange.delivery.model import Bytes, Draft, Kind, Outgoing
from insigne.exchange.delivery.ports import OutboxTransaction
from insigne.hl7 import Hl7Error, Message

_CONTROL_ID: Final = 10
_SETTLED: Final = frozenset({"delivered", "skipped", "ignored"})


class ActRefused(Exception):  # noqa: N818  # a decision, not a failure
    """The act makes no sense for that row. The text says why and what to do instead."""


def skip(transaction: OutboxTransaction, row: Outgoing, reason: str, now: str) -> None:
    """Give a message up; what waited behind it goes. Raises ActRefused."""
    if row.state in _SETTLED:
        raise ActRefused(f"{row.id}: {row.state}: there is nothing to skip")
    transaction.settle(row.id, "skipped", reason, row.ended or now)


def retry(transaction: OutboxTransaction, row: Outgoing, now: str) -> int:
    """Have a message told again, in the dialect of today, under a MSH-10 of its own; the row that tells it.

    One that was held keeps its place if it still has it. Raises ActRefused.
    """
    if row.ended is None and row.state != "held":
        raise ActRefused(
            f"{row.id}: {row.state}: it is still to be sent, and will be; skip it or edit it to change that"
        )
    if row.ended is None:
        transaction.requeue(row.id)
        return row.id
    if not repeatable(row):
        raise ActRefused(f"{row.id}: its content was erased by a purge; `insigne destination init` tells all anew")
    return repeat(transaction, row, now)


def repeatable(row: Outgoing) -> bool:
    """Whether a row says something that can be said again; what a person skipped is not."""
    return row.state != "skipped" and bool(row.notice or row.control_id)


def repeat(transaction: OutboxTransaction, row: Outgoing, now: str) -> int:
    """Queue again what a row said, behind all that waits; the new row.

    It is written from its notice under a new MSH-10; what a person edited goes again as it is. A row that failed, is
    held or was never sent is settled by it: what it says is said once, at its new place.
    """
    as_it_is = row.kind in ("edited", "answer") or not row.notice
    [new] = transaction.queue([_again(row, "replay", now, row.control_id if as_it_is else "")])
    if row.state not in _SETTLED and (row.ended is not None or not row.sent):
        transaction.settle(row.id, "skipped", f"told again as {new}", row.ended or now)
    return new


def edit(transaction: OutboxTransaction, row: Outgoing, written: Bytes, now: str) -> int:
    """Send other bytes instead; the row that sends them. `written` has a MSH-10 of its own. Raises ActRefused.

    What may leave at any moment is not edited: its destination must be paused or stopped first.
    """
    if row.state in _SETTLED:
        raise ActRefused(f"{row.id}: {row.state}: only what is held, dead or still to be sent is edited")
    if row.ended is None:
        if row.state != "held" and transaction.destination(row.destination).state == "running":
            raise ActRefused(
                f"{row.id}: {row.state}: it may leave at any moment, as it is: pause {row.destination} first"
                f" (`insigne destination pause {row.destination}`), edit it, then resume"
            )
        transaction.rewrite(row.id, written)
        return row.id
    transaction.put_bytes((written,))
    [new] = transaction.queue([_again(row, "edited", now, written.control_id)])
    transaction.settle(row.id, "skipped", f"edited and sent as {new}", row.ended)
    return new


def with_control_id(raw: bytes, control_id: str) -> bytes:
    """A message under another MSH-10. Raises Hl7Error when its header cannot be read."""
    message = Message.parse(raw)
    separator = raw[3:4]
    header, end, rest = raw.partition(b"\r")
    fields = header.split(separator)
    if len(fields) < _CONTROL_ID or not message.control_id:
        raise Hl7Error("AE", "101", "the header has no MSH-10")
    fields[_CONTROL_ID - 1] = control_id.encode("ascii")
    return separator.join(fields) + end + rest


def _again(row: Outgoing, kind: Kind, now: str, control_id: str) -> Draft:
    return Draft(
        destination=row.destination,
        kind=kind,
        event=row.event,
        subject=row.subject,
        keys=row.keys,
        cause=row.cause,
        notice=row.notice,
        created=now,
        control_id=control_id,
        replaces=row.id,
    )
