"""What a benchmark found: tables, targets met or not, notes; shown as text, kept as JSON."""

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table as RichTable

RESULTS = Path(__file__).parent / "results"


class Spread(msgspec.Struct, frozen=True):
    """The same thing measured in several rounds."""

    median: float
    low: float
    high: float
    rounds: int


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold. `stretch` is a real lead, when one is named; `at_least` tells floors from ceilings."""

    what: str
    measured: float
    unit: str
    must: float
    stretch: float | None = None
    at_least: bool = True

    def reaches(self, bound: float) -> bool:
        return self.measured >= bound if self.at_least else self.measured <= bound

    @property
    def verdict(self) -> str:
        if not self.reaches(self.must):
            return "missed"
        return "stretch met" if self.stretch is not None and self.reaches(self.stretch) else "met"


Cell = Spread | float | int | str | None


class Table(msgspec.Struct):
    """Rows of cells under `columns`; the first cell names the row."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]


class Report(msgspec.Struct, kw_only=True):
    """One benchmark, run once on one machine."""

    name: str
    quick: bool
    date: str
    machine: dict[str, str | int | float]
    tables: list[Table]
    targets: list[Target]
    notes: list[str] = []
    ok: bool = True
    """Whether what must be right was right (answers, contents); speed is judged by the targets."""


def show(report: Report, console: Console) -> None:
    """Print the tables, then the targets."""
    facts = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    console.print(f"\n[bold]{report.name}[/] ({'quick, ' if report.quick else ''}{report.date}; {facts})")
    for table in report.tables:
        shown = RichTable(title=table.title, title_justify="left", title_style="bold")
        for position, column in enumerate(table.columns):
            shown.add_column(column, justify="right" if position else "left", overflow="fold")
        for row in table.rows:
            shown.add_row(*(text(cell) for cell in row))
        console.print(shown)
    shown = RichTable(title="targets", title_justify="left", title_style="bold")
    for column in ("what", "measured", "must", "stretch", ""):
        shown.add_column(column, justify="left" if column in {"what", ""} else "right", overflow="fold")
    for target in report.targets:
        sign = "≥" if target.at_least else "≤"
        stretch = "" if target.stretch is None else f"{sign} {number(target.stretch)}"
        colour = "red" if target.verdict == "missed" else "green"
        shown.add_row(
            target.what,
            f"{number(target.measured)} {target.unit}",
            f"{sign} {number(target.must)}",
            stretch,
            f"[{colour}]{target.verdict}[/]",
        )
    if report.targets:
        console.print(shown)
    for note in report.notes:
        console.print(f"- {note}", markup=False)
    if not report.ok:
        console.print("[red bold]something was wrong: see the notes[/]")


def save(report: Report, folder: Path = RESULTS) -> Path:
    """Write `<name>.json`, or `<name>-quick.json`: a quick run never replaces a whole one."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{report.name}{'-quick' if report.quick else ''}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document(report)), indent=1) + b"\n")
    return path


def document(report: Report) -> dict[str, object]:
    """The report as kept and as `--json` prints it: verdicts beside the figures."""
    whole: dict[str, object] = msgspec.to_builtins(report)
    whole["targets"] = [msgspec.to_builtins(target) | {"verdict": target.verdict} for target in report.targets]
    return whole


def text(cell: Cell) -> str:
    """A cell as shown; a spread is median and, in brackets, lowest and highest round."""
    match cell:
        case None:
            return "-"
        case str():
            return cell
        case Spread():
            return f"{number(cell.median)} ({number(cell.low)} - {number(cell.high)})"
        case _:
            return number(cell)


def number(value: float) -> str:
    """Three figures that matter, thousands apart."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
