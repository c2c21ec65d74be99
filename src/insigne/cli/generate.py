"""`insigne generate`: synthetic messages of a hospital, the answers to expect and the truth about its people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from insigne.cli.common import Context, Exit, command_app, emit, examples, fail
from insigne.simulate import folder
from insigne.simulate.editions import CHARSETS, EDITIONS
from insigne.simulate.hospital import DEFAULT_WRONG, HospitalSettings

app = command_app()

_MANY = 500
"""From so many people on, a terminal shows a progress bar."""


@app.command(
    epilog=examples(
        "insigne generate --patients 100 --seed 7 --out hospital",
        "insigne generate --patients 5000 --seed 7 --out hospital --people 100000 --edition 2.10 --charset 8859-15",
        "insigne generate --patients 20 --seed 1 --out hospital --split --wrong 0 --json",
    )
)
def generate(
    ctx: typer.Context,
    *,
    patients: Annotated[int, typer.Option(help="How many people come to the hospital.")],
    seed: Annotated[int, typer.Option(help="Same seed and options, same bytes.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write; made if needed.")],
    edition: Annotated[str, typer.Option(help=f"PAM-FR edition: {', '.join(EDITIONS)}.")] = "2.11",
    charset: Annotated[
        str | None,
        typer.Option(
            help=f"Character set: {', '.join(CHARSETS)}. Default utf-8; 8859-15 before 2.10, which has no UTF-8."
        ),
    ] = None,
    people: Annotated[
        int | None, typer.Option(help="Size of the national base, patients included. Default: the patients alone.")
    ] = None,
    wrong: Annotated[
        float, typer.Option(help="Share of messages followed by a wrong one, from 0 to 1.")
    ] = DEFAULT_WRONG,
    split: Annotated[bool, typer.Option("--split", help="Also write each message to its own file.")] = False,
    test_oid: Annotated[
        bool, typer.Option("--test-oid", help="Put every NIR under the test OID (1.2.250.1.213.1.4.10).")
    ] = False,
) -> None:
    """Write a synthetic hospital: messages, the acknowledgement to expect for each, and the truth about its people.

    messages.mllp holds the feed in MLLP frames, ready for `insigne send`. expected.jsonl gives one line a message:
    control id, event, acknowledgement code and why; some messages are wrong on purpose. truth.jsonl gives one line a
    person: what the hospital must hold in the end and what INSi answers.
    """
    context = Context.of(ctx)
    try:
        settings = HospitalSettings(
            patients=patients,
            seed=seed,
            people=people,
            edition=edition,
            charset=charset,
            wrong=wrong,
            test_oid=test_oid,
        )
    except ValueError as error:
        fail(Exit.USAGE, f"--{error}")
    try:
        with _progress(patients, people or patients) as progress:
            summary = folder.write_hospital(settings, out, split=split, progress=progress)
    except OSError as error:
        fail(Exit.PROBLEMS, f"--out {out}: {error.strerror or error}; give a folder that can be written")
    _tell(context, summary, out, patients)


def _tell(context: Context, summary: folder.Summary, out: Path, patients: int) -> None:
    if context.json:
        emit(
            {
                "out": str(out),
                "messages": summary.messages,
                "bytes": summary.bytes,
                "expected": dict(sorted(summary.expected.items())),
                "patients": patients,
                "people": summary.people,
            }
        )
        return
    answers = ", ".join(f"{count} {code}" for code, count in sorted(summary.expected.items()))
    context.say(f"{summary.messages} messages ({answers or 'none'}), {summary.people} lines of truth in {out}")


@contextmanager
def _progress(patients: int, people: int) -> Iterator[folder.Progress]:
    """Show how far each stage is, on a terminal and for many people only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=people < _MANY or not console.is_terminal) as bars:
        tasks = {"messages": bars.add_task("messages", total=patients), "truth": bars.add_task("truth", total=people)}

        def progress(stage: str, reached: int) -> None:
            if reached % 100 == 0:
                bars.update(tasks[stage], completed=reached)

        yield progress
