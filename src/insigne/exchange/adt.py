"""ADT messages: edition, validation, decoding, and the registry's decision (ITI-30, ITI-31)."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from msgspec.structs import replace

from insigne.exchange.handler import Delivery, Outcome, Prepared
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import AckError, Location, Message
from insigne.pam.decode import decode, kind_of
from insigne.pam.decode.triggers import UPDATE_EVENT
from insigne.pam.editions import Edition, UnknownVersion, edition_of
from insigne.pam.findings import Finding, apply_policy
from insigne.pam.replies import notice_warning
from insigne.pam.validate import ValidationContext, validate
from insigne.registry.commands import Command
from insigne.registry.decide import decide
from insigne.registry.lookups import joined_command, lookups
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.workingset import WorkingSet

_EVERY_PROCESSING_ID = ("P", "T", "D")


class _Asked(NamedTuple):
    """What a message asks, and what there is to say of how it asks."""

    command: Command
    findings: tuple[Finding, ...]


class AdtHandler:
    """Turns ADT messages into commands and lets the registry decide."""

    def __init__(self, policy: Policy, processing_ids: tuple[str, ...], new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._lenient = replace(policy, registry=replace(policy.registry, unknown_cancellation="accept"))
        default = ("P",) if policy.environment == "production" else _EVERY_PROCESSING_ID
        self._processing_ids = processing_ids or default
        self._context = ValidationContext(environment=policy.environment)
        self._new_id = new_id

    def prepare(self, delivery: Delivery) -> Prepared | Outcome:
        """See `handler.Handler.prepare`: edition, validation, command."""
        message, sender = delivery.message, delivery.sender
        try:
            edition, findings = edition_of(message, sender.edition or None)
        except UnknownVersion:
            return _rejected("203", Location("MSH", field=12), "HL7 version not supported")
        # A missing MSH-11 is a finding; only T and D say that the message is not meant for production.
        if message.processing_id and message.processing_id not in self._processing_ids:
            accepted = ", ".join(self._processing_ids)
            return _rejected("202", Location("MSH", field=11), f"processing id not accepted here; accepted: {accepted}")
        course = _course(message, edition, sender)
        if course == "ignore":
            return Outcome("AA", ignored=True)
        if course == "reject":
            place = Location("MSH", field=9, component=2)
            return _rejected("201", place, f"trigger event not supported in edition {edition.id}")
        findings = [*findings, *validate(message, edition, self._context)]
        if sender.rules:
            findings, refused = apply_policy(findings, sender.rules)
            if refused:
                return Outcome("AE", tuple(_error(finding) for finding in refused), tuple(findings))
        command = joined_command(decode(message), self._policy)
        holders, encounters = lookups(command)
        return Prepared(holders, encounters, _Asked(command, tuple(findings)))

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        """See `handler.Handler.handle`: the registry's decision."""
        message, sender = delivery.message, delivery.sender
        asked: _Asked = prepared.content
        findings = asked.findings
        author = f"{message.sending_application}|{message.sending_facility}"
        source = Source(delivery.received.time, author, "message", delivery.message_id)
        policy = self._lenient if sender.unknown_cancellation == "accept" else self._policy
        decision = decide(asked.command, working, source, policy, self._new_id)
        warnings: tuple[AckError, ...] = ()
        if sender.warnings:
            said = (notice_warning(notice) for notice in decision.notices)
            warnings = (*said, *(_error(finding, "W") for finding in findings if finding.severity != "info"))
        return Outcome("AA", warnings, findings, decision.notices, decision.subject)


def _course(message: Message, edition: Edition, sender: SenderSettings) -> Literal["take", "ignore", "reject"]:
    """What to do with the event: A08 is excluded from the French editions, an event outside PAM from all."""
    if message.trigger == UPDATE_EVENT and edition.french:
        return _A08[sender.a08]
    if kind_of(message.trigger) is None:
        return sender.unknown_event
    return "take"


_A08: Mapping[str, Literal["take", "ignore", "reject"]] = {"reject": "reject", "update": "take", "ignore": "ignore"}


def _rejected(condition: str, place: Location, text: str) -> Outcome:
    return Outcome("AR", (AckError(condition, "E", place, text),))


def _error(finding: Finding, severity: str = "E") -> AckError:
    text = f"{finding.message} {finding.remedy}"
    return AckError(finding.condition, severity, finding.location, text, finding.rule)
