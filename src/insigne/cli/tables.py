"""Plain columns for a person to read; a pipe gets the same."""

from collections.abc import Iterable, Sequence
from typing import Final

import typer

_WIDEST = 100
"""Longest cell shown before the last column, which may run on; --json has each whole."""

_CONTROLS: Final = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {
    code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)
}


def harmless(text: str) -> str:
    """Make control characters visible: what a peer wrote must not drive the terminal of who reads it."""
    return text.translate(_CONTROLS)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, none: str) -> None:
    """Print aligned columns on stdout, or `none` when there is no row."""
    lines = [[*(_short(_line(cell)) for cell in row[:-1]), _line(row[-1])] for row in rows]
    if not lines:
        typer.echo(none)
        return
    widths = [max(len(cell) for cell in column) for column in zip(titles, *lines, strict=True)]
    for line in (list(titles), *lines):
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print names and values on stdout, those without a value left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        typer.echo(harmless(f"{name:<{width}}  {value}"))


def _line(text: str) -> str:
    return harmless(" ".join(text.split()))


def _short(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
