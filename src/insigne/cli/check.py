"""`insigne check`: validate HL7 messages against an edition of PAM-FR, offline."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from insigne.cli.common import Context, Exit, command_app, emit_line, examples, fail
from insigne.hl7 import CharsetPolicy, Hl7Error, Message, split_messages
from insigne.hl7.charset import CODECS
from insigne.ins import bundled_cog
from insigne.pam.editions import Edition, UnknownVersion, edition, edition_of
from insigne.pam.findings import Finding
from insigne.pam.rules.movements import MovementMemory
from insigne.pam.validate import ValidationContext, unreadable, validate

app = command_app()

Language = Literal["en", "fr"]
_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_WORDS = {
    "en": {"error": "error", "warning": "warning", "info": "info", "ok": "conforms", "unread": "not read"},
    "fr": {"error": "erreur", "warning": "alerte", "info": "info", "ok": "conforme", "unread": "non lu"},
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one message; `message` is its rank in the file, `edition` None when it could not be read."""

    file: str
    message: int
    control_id: str
    edition: Edition | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    def document(self) -> dict[str, object]:
        """The line of `--json`."""
        return {
            "file": self.file,
            "message": self.message,
            "control_id": self.control_id,
            "edition": self.edition.id if self.edition else None,
            "ok": self.ok,
            "findings": [
                {
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "location": str(finding.location or ""),
                    "message": finding.message,
                    "message_fr": finding.message_fr,
                    "remedy": finding.remedy,
                    "remedy_fr": finding.remedy_fr,
                    "reference": finding.reference,
                    "condition": finding.condition,
                }
                for finding in self.findings
            ],
        }

    def lines(self, language: Language) -> Iterator[Text]:
        """The same for a person."""
        words = _WORDS[language]
        label = self.edition.label if self.edition else words["unread"]
        head = Text(f"{self.file}#{self.message}  {self.control_id}  {label}  ".replace("    ", "  "), style="bold")
        counts = [
            (severity, sum(finding.severity == severity for finding in self.findings))
            for severity in ("error", "warning", "info")
        ]
        said = [
            Text(f"{count} {words[severity]}{'s' * (count > 1 and severity != 'info')}", _COLOURS[severity])
            for severity, count in counts
            if count
        ]
        yield head + (Text(", ").join(said) if said else Text(words["ok"], "green"))
        for finding in self.findings:
            message, remedy = (
                (finding.message_fr, finding.remedy_fr) if language == "fr" else (finding.message, finding.remedy)
            )
            place = f"{finding.location}" if finding.location else "-"
            kind = Text(f"  {words[finding.severity]:<7} ", _COLOURS[finding.severity])
            yield kind + Text(f"{finding.rule:<13} {place:<14} {message}")
            yield Text(f"{'':<39}→ {remedy}  [{finding.reference}]", "dim")


@dataclass(frozen=True, slots=True)
class Checker:
    """How the messages of one run are checked, and what is remembered from one to the next."""

    edition: str | None
    charset: CharsetPolicy
    context: ValidationContext
    movements: MovementMemory = field(default_factory=MovementMemory)

    def check(self, file: str, rank: int, raw: bytes) -> Checked:
        """Check one message; the findings come most serious first."""
        control_id = ""
        try:
            message = Message.parse(raw, self.charset)
            control_id = message.control_id
            chosen, findings = edition_of(message, self.edition)
        except (Hl7Error, UnknownVersion) as error:
            return Checked(file, rank, control_id, None, (unreadable(error),))
        findings = [
            *findings,
            *validate(message, chosen, self.context),
            *self.movements.check(message, chosen, f"{file}#{rank}"),
        ]
        ranks = list(_COLOURS)
        ordered = sorted(findings, key=lambda finding: ranks.index(finding.severity))
        return Checked(file, rank, control_id, chosen, tuple(ordered))


@app.command(
    epilog=examples(
        "insigne check admission.hl7",
        "insigne check day1/*.hl7 --edition 2.10 --json",
        "insigne check export.hl7 --charset cp1252 --lang fr",
        "insigne check connectathon.hl7 --set environment=test",
    )
)
def check(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Messages to check.", exists=True, dir_okay=False)
    ],
    *,
    edition_id: Annotated[
        str | None,
        typer.Option(
            "--edition", metavar="ID", help="Check against this edition, whatever MSH-12 says; 2.11 is 2.11.2."
        ),
    ] = None,
    charset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read the files in this character set, whatever MSH-18 says.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the findings shown to a person.")] = "en",
) -> None:
    """Validate HL7 messages against an edition of PAM-FR, offline, and say how to mend what departs from it.

    A file holds one message, several MLLP frames, or several messages one after another. The edition is that of
    MSH-12 unless one is given. Movements are compared over all the messages, in the order given. Exit status 0 if no
    message has an error, 1 if one has or cannot be read.
    """
    context = Context.of(ctx)
    if edition_id is not None:
        try:
            edition(edition_id)
        except ValueError as error:
            fail(Exit.USAGE, f"--edition: {error}")
    settings = ValidationContext(environment=context.config.environment, cog=bundled_cog())
    checker = Checker(edition_id, _charset_policy(charset), settings)
    console = Console(soft_wrap=True, highlight=False)
    ok = True
    for file in files:
        for rank, raw in enumerate(_messages(file), 1):
            checked = checker.check(str(file), rank, raw)
            ok &= checked.ok
            if context.json:
                emit_line(checked.document())
                continue
            for line in checked.lines(lang):
                console.print(line)
    if not ok:
        raise typer.Exit(Exit.PROBLEMS)


def _messages(file: Path) -> list[bytes]:
    try:
        messages = split_messages(file.read_bytes())
    except OSError as error:
        fail(Exit.USAGE, f"{file}: cannot be read ({error.strerror})")
    if not messages:
        fail(Exit.USAGE, f"{file}: holds no message; give a file of HL7 messages, framed or not")
    return messages


def _charset_policy(name: str | None) -> CharsetPolicy:
    if name is None:
        return CharsetPolicy()
    codec = CODECS.get(name.upper(), name)
    try:
        codecs.lookup(codec)
    except LookupError:
        known = ", ".join(filter(None, CODECS))
        fail(Exit.USAGE, f"--charset: {name!r} is not known; use {known}, or the name of a Python codec such as cp1252")
    return CharsetPolicy(real=codec)
