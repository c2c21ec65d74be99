"""What an ADT message asks: edition, validation, decoding (ITI-30, ITI-31). No registry, no base."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from insigne.exchange.handler import Outcome
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import AckError, Location, Message
from insigne.pam.decode import decode, kind_of
from insigne.pam.decode.triggers import UPDATE_EVENT
from insigne.pam.editions import Edition, UnknownVersion, edition_of
from insigne.pam.findings import Finding, apply_policy
from insigne.pam.validate import ValidationContext, validate
from insigne.registry.commands import Command
from insigne.registry.lookups import joined_command
from insigne.registry.settings import Policy

_EVERY_PROCESSING_ID = ("P", "T", "D")


class Asked(Struct, frozen=True):
    """What a message asks, and what there is to say of how it asks."""

    command: Command
    findings: tuple[Finding, ...] = ()


class AdtReader:
    """What an ADT message asks: edition, validation, command. Pure: the same message always says the same."""

    def __init__(self, policy: Policy, processing_ids: tuple[str, ...]) -> None:
        """`processing_ids`: the MSH-11 accepted; none: those of the environment."""
        self._policy = policy
        default = ("P",) if policy.environment == "production" else _EVERY_PROCESSING_ID
        self._processing_ids = processing_ids or default
        self._context = ValidationContext(environment=policy.environment)

    def asked(self, message: Message, sender: SenderSettings) -> Asked | Outcome:
        """What the message asks; the outcome when it asks nothing of the registry. May raise `Hl7Error`."""
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
                return Outcome("AE", tuple(error_of(finding) for finding in refused), tuple(findings))
        return Asked(joined_command(decode(message), self._policy), tuple(findings))


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


def error_of(finding: Finding, severity: str = "E") -> AckError:
    """The ERR segment that reports a finding."""
    text = f"{finding.message} {finding.remedy}"
    return AckError(finding.condition, severity, finding.location, text, finding.rule)
