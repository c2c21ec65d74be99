"""The results part of docs/performance.md, written from the results kept: `python -m bench.document`."""

from pathlib import Path

import msgspec

from bench.report import RESULTS, Cell, Report, number, text

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
ORDER = ("parse", "intake", "base", "insi", "diffusion", "documents", "faults")


def written(document: str, reports: list[Report]) -> str:
    """The document with the part between its marks replaced by these results."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{''.join(map(_section, reports))}{END}{after}"


def kept(folder: Path = RESULTS) -> list[Report]:
    """The last whole runs, as kept."""
    paths = [folder / f"{name}.json" for name in ORDER]
    return [msgspec.json.decode(path.read_bytes(), type=Report) for path in paths if path.exists()]


def _section(report: Report) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    parts = [f"### {report.name}\n\n{report.date}; {facts}.\n\n"]
    if report.targets:
        rows: list[list[Cell]] = []
        for target in report.targets:
            sign = "≥" if target.at_least else "≤"
            stretch = "" if target.stretch is None else f"{sign} {number(target.stretch)}"
            measured = f"{number(target.measured)} {target.unit}"
            rows.append([target.what, measured, f"{sign} {number(target.must)}", stretch, target.verdict])
        parts.append(_grid(["target", "measured", "must", "stretch", ""], rows))
    for table in report.tables:
        parts.append(f"{table.title[0].upper()}{table.title[1:]}:\n\n{_grid(table.columns, table.rows)}")
    if report.notes:
        parts.append("".join(f"- {note}\n" for note in report.notes) + "\n")
    return "".join(parts)


def _grid(columns: list[str], rows: list[list[Cell]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *([text(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |\n" for line in lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), kept()), encoding="utf-8")
