"""What the validator says: findings, the catalogue of rules they come from, and the policy that may refuse on them.

The default policy integrates: a finding, severity "error" included, never refuses a message by itself.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from insigne.hl7 import Location
from insigne.pam.profile import Edition, Severity

#: A hostile message could draw millions; nobody reads more than this.
MOST_FINDINGS: Final = 200
POLICIES: Final = ("ignore", "warn", "reject")
#: Codes that are in no table of PAM-FR and are met in messages.
_KNOWN_MISTAKES: Final = frozenset({"QUAL", "RECUP", "FICTI", "DOUTE", "USUP", "DOPS"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that departs from an edition, without any personal value.

    rule: stable identifier (docs/rules.md). location: None when it concerns the message as a whole. remedy: how to
    mend. reference: document and section. condition: code of HL7 table 0357, for ERR-3.
    """

    rule: str
    severity: Severity
    location: Location | None
    message: str
    message_fr: str
    remedy: str
    remedy_fr: str
    reference: str
    condition: str


@dataclass(frozen=True, slots=True)
class Template:
    """One variant of a rule: severity unless the edition says otherwise, and the sentences to fill in."""

    rule: str
    variant: str
    severity: Severity
    condition: str
    message: str
    message_fr: str
    remedy: str
    remedy_fr: str
    reference: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the catalogue, with its variants by name."""

    id: str
    title: str
    title_fr: str
    reference: str
    variants: Mapping[str, Template]


@cache
def catalogue() -> Mapping[str, Rule]:
    """Return every rule by identifier, in the order of the catalogue."""
    document = tomllib.loads((files("insigne.pam.rules") / "catalogue.toml").read_text(encoding="utf-8"))
    return MappingProxyType({identifier: _rule(identifier, content) for identifier, content in document.items()})


def _rule(identifier: str, content: Mapping[str, Any]) -> Rule:
    reference = content["reference"]
    variants = {
        variant: Template(
            rule=identifier,
            variant=variant,
            severity=part["severity"],
            condition=part["condition"],
            message=part["en"],
            message_fr=part["fr"],
            remedy=part["mend"],
            remedy_fr=part["mend_fr"],
            reference=reference,
        )
        for variant, part in content.items()
        if isinstance(part, dict)
    }
    return Rule(identifier, content["title"], content["title_fr"], reference, MappingProxyType(variants))


class Report:
    """Collects the findings of one message under one edition, up to MOST_FINDINGS of them."""

    __slots__ = ("edition", "findings")

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.findings: list[Finding] = []

    @property
    def full(self) -> bool:
        """Whether nothing more will be kept."""
        return len(self.findings) >= MOST_FINDINGS

    def add(self, key: str, location: Location | None = None, **values: object) -> None:
        """Add the finding `key` ("rule.variant") unless the edition silences it; `values` fill its sentences."""
        if self.full:
            return
        finding = make_finding(key, self.edition, location, **values)
        if finding is not None:
            self.findings.append(finding)


def make_finding(key: str, edition: Edition, location: Location | None = None, **values: object) -> Finding | None:
    """Return the finding `key` ("rule.variant"), or None when the edition turns it off."""
    identifier, _, variant = key.partition(".")
    severity = severity_of(key, edition)
    if severity is None:
        return None
    template = catalogue()[identifier].variants[variant]
    words = {"where": str(location or ""), "edition": edition.label, "hint": "", "hint_fr": "", **values}
    return Finding(
        rule=identifier,
        severity=severity,
        location=location,
        message=template.message.format_map(words),
        message_fr=template.message_fr.format_map(words),
        remedy=template.remedy.format_map(words),
        remedy_fr=template.remedy_fr.format_map(words),
        reference=template.reference,
        condition=template.condition,
    )


def severity_of(key: str, edition: Edition) -> Severity | None:
    """Return the severity of "rule.variant" in an edition, None when that edition does not have the rule."""
    identifier, _, variant = key.partition(".")
    chosen = edition.severities.get(key) or edition.severities.get(identifier)
    if chosen is None:
        return catalogue()[identifier].variants[variant].severity
    return None if chosen == "off" else chosen


def shown(code: str, edition: Edition) -> str:
    """Return a code fit to be quoted in a finding; a shifted field may have put a name there, so most are not.

    Quoted: up to three characters, the codes of any table of the edition, and well-known mistakes.
    """
    if (len(code) <= 3 and code.isascii() and code.isalnum()) or code in _codes(edition) or code in _KNOWN_MISTAKES:
        return f"“{code}”"
    return f"({len(code)} car.)"


@cache
def _codes(edition: Edition) -> frozenset[str]:
    return frozenset().union(*(table.codes for table in edition.tables.values()))


def apply_policy(findings: Iterable[Finding], policy: Mapping[str, str]) -> tuple[list[Finding], list[Finding]]:
    """Split findings into those to record and those that refuse the message, by the policy of a sender.

    `policy` maps a rule identifier to "ignore" (drop), "warn" (record) or "reject" (record and refuse); a rule it does
    not name is recorded. The second list is part of the first.

    Raises ValueError for a rule or a policy that does not exist.
    """
    for rule, choice in policy.items():
        if rule not in catalogue():
            raise ValueError(f"policy: {rule!r} is not a rule; see docs/rules.md")
        if choice not in POLICIES:
            raise ValueError(f"policy of {rule}: {choice!r} is not one of {', '.join(POLICIES)}")
    kept = [finding for finding in findings if policy.get(finding.rule) != "ignore"]
    return kept, [finding for finding in kept if policy.get(finding.rule) == "reject"]
