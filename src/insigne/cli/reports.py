"""Operations on the base: how far they are, and the report they end with."""

import sys
from collections.abc import Mapping
from typing import Any

import typer

from insigne.cli.common import Context, Exit, emit
from insigne.cli.tables import print_fields
from insigne.store.report import Report


def progress(done: int, total: int) -> None:
    """Show how far an operation is, on stderr, to somebody who watches."""
    if sys.stderr.isatty():
        share = f"{100 * done // total:3} %" if total else str(done)
        typer.echo(f"\r{share}", err=True, nl=done >= total)


def conclude(context: Context, checked: Mapping[str, Any], problems: list[str] | None = None) -> None:
    """End an operation with its report: `{"ok", "checked", "problems"}`; exit 1 when there are problems."""
    found = problems or []
    if context.json:
        emit({"ok": not found, "checked": checked, "problems": found})
    else:
        print_fields((name, str(value)) for name, value in checked.items())
        typer.echo("\n".join(found) if found else "ok")
    if found:
        raise typer.Exit(Exit.PROBLEMS)


def conclude_report(context: Context, report: Report) -> None:
    """End an operation with the report of the store."""
    problems = [*report.problems, *([f"and {report.unlisted} more"] if report.unlisted else [])]
    conclude(context, report.checked, problems)
