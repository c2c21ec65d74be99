"""Write docs/editions.md and docs/rules.md from the editions and the catalogue of rules.

Run it after a change of either; a test tells when the pages lag behind.
"""

from collections.abc import Iterator
from pathlib import Path

from insigne.pam.editions import EDITIONS, Edition
from insigne.pam.findings import Rule, catalogue

DOCS = Path(__file__).parents[1] / "docs"

EDITIONS_HEAD = """\
# Editions

What Insigne knows of each edition of IHE PAM: the French national extension from 2.3 to 2.11.2, international PAM, and
plain HL7 feeds. The data is in `src/insigne/pam/editions/data`, one TOML file an edition. 2.11.2 is whole; every other
edition is a set of differences from its parent, so that two editions compare by reading one file.

## Which edition a message is in

| MSH-12 | edition |
|---|---|
| `2.5^FRA^2.11` | 2.11.2. Every 2.11.x says 2.11 on the wire: 2.11.0 and 2.11.1 are chosen by configuration or option |
| `2.5^FRA^2.10` | 2.10, the final text 2.10.5. 2.10.0 is chosen by configuration or option |
| `2.5^FRA^2.9` … `2.5^FRA^2.3` | that edition |
| `2.5^FRA^` anything else | 2.11.2, with finding V04 |
| `2.5` | PAM-2.5, with finding V04 (a warning when the message says it is French) |
| `2.3.1`, `2.4`, `2.5.1` | that feed |
| another HL7 version | none: AR 203 |

An edition configured for a sender wins over MSH-12. `insigne check --edition` takes the identifiers below, and `2.11`
for 2.11.2, `2.10.5` for 2.10, `HL7 2.3.1` for HL7-2.3.1.

## What the validator checks in all of them

Segments and their order, required and forbidden fields, repetitions, data types (dates and times must exist), codes,
lengths, and the rules of [rules.md](rules.md). Lengths are those of single values: the total length that the tables
give to composite fields is not checked, nor is a code list that the edition leaves open to the site. UTF-8 is accepted
in every edition, although it came with 2.10. Required-if-known (RE) cannot be checked in one message.
"""

RULES_HEAD = """\
# Rules

What `insigne check` and the intake say of a message, by rule. Severities are those of PAM-FR 2.11.2; an edition may
change or silence one (last section). A finding never refuses a message by itself: each sender has a policy per rule,
`ignore`, `warn` or `reject`, and the default records everything and refuses nothing. A message draws at most 200
findings.

No finding holds a name, a date, an identifier or an address. *Condition* is the code of HL7 table 0357 that goes in
ERR-3. V05 (an identifier used before) is completed by the intake, which remembers; V01 is about the bytes as read.
X rules compare messages: `insigne check` applies them over all the files of one run, the intake does not.
"""


def editions_page() -> Iterator[str]:
    """Yield the lines of docs/editions.md."""
    yield EDITIONS_HEAD
    yield "## Editions\n"
    for edition in EDITIONS.values():
        yield f"### {edition.id}\n"
        origin = f"differences from {edition.parent}" if edition.parent else "whole"
        yield f"{edition.label}, {edition.date}, {origin}: {_counts(edition)}.\n"
        yield f"{edition.models['en']}\n"
        yield f"*{edition.models['fr']}*\n"


def _counts(edition: Edition) -> str:
    fields = sum(len(segment) for segment in edition.segments.values())
    closed = sum(not table.open for table in edition.tables.values())
    return (
        f"{len(edition.events)} events, {len(edition.segments)} segments with {fields} fields, "
        f"{len(edition.types)} data types, {closed} closed code lists"
    )


def rules_page() -> Iterator[str]:
    """Yield the lines of docs/rules.md."""
    yield RULES_HEAD
    for rule in catalogue().values():
        yield from _rule(rule)
    yield "## Severities by edition\n"
    yield "An edition has those of its parent, then its own.\n"
    yield "| edition | parent | rules that change |\n|---|---|---|"
    for edition in EDITIONS.values():
        own = _own_severities(edition)
        if own:
            yield f"| {edition.id} | {edition.parent} | {', '.join(f'{key} {value}' for key, value in own.items())} |"


def _own_severities(edition: Edition) -> dict[str, str]:
    inherited = EDITIONS[edition.parent].severities if edition.parent else {}
    return {key: value for key, value in edition.severities.items() if inherited.get(key) != value}


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id} {rule.title}\n"
    yield f"*{rule.title_fr}* · {rule.reference}\n"
    for template in rule.variants.values():
        yield f"- **{template.variant}**, {template.severity}, condition {template.condition}"
        yield f"  - {template.message} {template.remedy}"
        yield f"  - *{template.message_fr} {template.remedy_fr}*"
    yield ""


def main() -> None:
    """Write both pages."""
    DOCS.mkdir(exist_ok=True)
    for name, lines in (("editions.md", editions_page()), ("rules.md", rules_page())):
        (DOCS / name).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
