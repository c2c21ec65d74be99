"""ADT messages: what they ask, and the registry's decision (ITI-30, ITI-31)."""

from collections.abc import Callable

from msgspec import msgpack
from msgspec.structs import replace

from insigne.exchange.adt_reader import AdtReader, Asked, error_of
from insigne.exchange.handler import Delivery, Outcome, Prepared
from insigne.hl7 import AckError, Message
from insigne.pam.replies import notice_warning
from insigne.registry.decide import decide
from insigne.registry.lookups import lookups
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.workingset import WorkingSet

#: What one process read, written for another one of the same program.
_asked = msgpack.Decoder(Asked)


class AdtHandler:
    """Turns ADT messages into commands and lets the registry decide."""

    def __init__(self, policy: Policy, processing_ids: tuple[str, ...], new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._lenient = replace(policy, registry=replace(policy.registry, unknown_cancellation="accept"))
        self._reader = AdtReader(policy, processing_ids)
        self._new_id = new_id

    def prepare(self, delivery: Delivery, message: Message) -> Prepared | Outcome:
        """See `handler.Handler.prepare`: edition, validation, command."""
        asked = self._reader.asked(message, delivery.sender)
        return asked if isinstance(asked, Outcome) else _prepared(asked)

    def restore(self, written: bytes) -> Prepared:
        """See `handler.Portable.restore`."""
        return _prepared(_asked.decode(written))

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        """See `handler.Handler.handle`: the registry's decision."""
        sender = delivery.sender
        asked: Asked = prepared.content
        findings = asked.findings
        source = Source(delivery.received.time, delivery.heading.sender, "message", delivery.message_id)
        policy = self._lenient if sender.unknown_cancellation == "accept" else self._policy
        decision = decide(asked.command, working, source, policy, self._new_id)
        warnings: tuple[AckError, ...] = ()
        if sender.warnings:
            said = (notice_warning(notice) for notice in decision.notices)
            warnings = (*said, *(error_of(finding, "W") for finding in findings if finding.severity != "info"))
        return Outcome("AA", warnings, findings, decision.notices, decision.subject)


def _prepared(asked: Asked) -> Prepared:
    holders, encounters = lookups(asked.command)
    return Prepared(holders, encounters, asked)
