"""`insigne import`: an existing base brought in, from a CSV file."""

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.cli.common import Context, Exit, command_app, emit, examples, fail, note
from insigne.cli.opening import PATIENCE, author, plainly
from insigne.cli.tables import print_fields
from insigne.config import store_url
from insigne.exchange.load.loader import Loader, LoadReport
from insigne.exchange.load.mapping import Mapping, MappingError, read_mapping
from insigne.exchange.load.rows import RowReader
from insigne.exchange.load.table import TableRow, table_rows
from insigne.store import AuditEntry, SchemaMissing, open_store, upgrade

FOLDER: Final = "imports"
"""Where it is kept how far each import went, in the data folder."""
BATCH: Final = 200
"""Rows of one transaction: live messages wait for one at most."""

app = command_app()


@app.command(
    name="import",
    epilog=examples(
        "insigne import people.csv --mapping people.toml --dry-run",
        "insigne import people.csv --mapping people.toml --pace 500",
    ),
)
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The table, with a header.")],
    *,
    mapping: Annotated[Path, typer.Option(metavar="FILE", help="TOML: which column is what.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide on every row, write nothing.")] = False,
    pace: Annotated[int, typer.Option(min=0, help="Rows a second at most; 0: as fast as it goes.")] = 0,
    restart: Annotated[
        bool, typer.Option("--restart", help="From the first row, though an import stopped half way.")
    ] = False,
) -> None:
    """Bring an existing base in: identities with their identifiers, entry rules told as findings.

    Stopped half way, the same command goes on where it was. Exit 1 when rows were refused.
    """
    context = Context.of(ctx)
    columns = _mapping(mapping)
    digest, total = _measured(file, mapping)
    began = time.monotonic()
    with plainly():
        base = _base(context, dry_run=dry_run)
        try:
            ours = frozenset(base.config.ri.authorities) | base.policy.own
            loader = base.registrar.loader(
                RowReader(columns, ours, date.today()),
                source=columns.source,
                cause=digest[:16],
                update=columns.existing == "update",
                time=rfc3339_now,
            )
            course = _Course(context, base, loader, digest, dry_run=dry_run, pace=pace)
            start = 0 if restart or dry_run else course.done()
            stopped = _run(course, file, columns, start, total)
        finally:
            base.close()
    _conclude(context, loader.report, file=file, dry_run=dry_run, resumed=start, stopped=stopped, began=began)


class _Course:
    """One import under way: how far it is, kept beside the base."""

    def __init__(self, context: Context, base: Base, loader: Loader, digest: str, *, dry_run: bool, pace: int) -> None:
        self._base = base
        self._loader = loader
        self._dry_run = dry_run
        self._pace = pace
        self._path = context.loaded.data_dir / FOLDER / f"{digest}.json"

    def done(self) -> int:
        """Rows loaded by an earlier run of the same import."""
        try:
            return int(json.loads(self._path.read_text(encoding="utf-8"))["rows"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError) as error:
            fail(Exit.USAGE, f"{self._path}: cannot be read ({error}); remove it, or use --restart")

    def batches(self, rows: Iterator[TableRow], start: int) -> Iterator[int]:
        """Load or rehearse the rows, a batch after the other; yields the size of each."""
        size = min(BATCH, self._pace) if self._pace else BATCH
        began, through = time.monotonic(), 0
        while True:
            if self._dry_run:
                with self._base.store.read() as view:
                    count = self._loader.rehearse(view, rows, size)
            else:
                count = self._loader.load(rows, size)
            if not count:
                break
            through += count
            self._keep(start + through)
            yield count
            if self._pace:
                time.sleep(max(0.0, began + through / self._pace - time.monotonic()))

    def ended(self, file: Path) -> None:
        """Note in the audit trail that the import was made."""
        if self._dry_run:
            return
        report = self._loader.report
        details = {name: str(getattr(report, name)) for name in ("rows", "created", "updated", "known", "refused")}
        with self._base.store.begin() as transaction:
            transaction.record(AuditEntry(author(), "imported", file.name, rfc3339_now(), details))
            transaction.commit()

    def _keep(self, rows: int) -> None:
        if self._dry_run:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"rows": rows, "time": rfc3339_now()}), encoding="utf-8")
        temporary.replace(self._path)


def _run(course: _Course, file: Path, columns: Mapping, start: int, total: int) -> bool:
    """Go through the file; True when it was interrupted."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    try:
        with file.open(encoding=columns.encoding, newline="") as lines, bar:
            task = bar.add_task("import", total=max(total, start), completed=start)
            rows = islice(table_rows(lines, columns), start, None)
            for count in course.batches(rows, start):
                bar.advance(task, count)
    except KeyboardInterrupt:
        return True
    except (MappingError, csv.Error) as error:
        fail(Exit.USAGE, f"{file}: {error}")
    except UnicodeDecodeError as error:
        fail(Exit.USAGE, f"{file}: not {columns.encoding} (byte {error.start}); set `encoding` in the mapping")
    course.ended(file)
    return False


def _mapping(path: Path) -> Mapping:
    try:
        return read_mapping(path.read_bytes())
    except MappingError as error:
        fail(Exit.USAGE, f"{path}: {error}")
    except OSError as error:
        fail(Exit.USAGE, f"--mapping {path}: {error.strerror or error}")


def _measured(file: Path, mapping: Path) -> tuple[str, int]:
    """What makes an import the same as another, and about how many rows it has."""
    digest, lines = sha256(mapping.read_bytes()), 0
    try:
        with file.open("rb") as content:
            while block := content.read(1_048_576):
                digest.update(block)
                lines += block.count(b"\n")
    except OSError as error:
        fail(Exit.USAGE, f"{file}: {error.strerror or error}")
    return digest.hexdigest(), max(lines - 1, 0)


def _base(context: Context, *, dry_run: bool) -> Base:
    """The base, made if need be; a dry run makes nothing that is not there."""
    url = store_url(context.loaded)
    try:
        open_store(url).close()
    except SchemaMissing:
        if dry_run:
            note("there is no base yet: an empty one is made")
        upgrade(url)
    return open_base(context.loaded, wait=PATIENCE)


def _conclude(
    context: Context, report: LoadReport, *, file: Path, dry_run: bool, resumed: int, stopped: bool, began: float
) -> None:
    counts = {name: getattr(report, name) for name in ("rows", "created", "updated", "unchanged", "known", "refused")}
    findings: dict[str, Any] = {
        "total": report.by_rule.total(),
        "by_rule": dict(report.by_rule.most_common()),
        "items": msgspec.to_builtins(report.listed),
    }
    ok = not report.refused and not stopped
    if context.json:
        emit(
            {
                "ok": ok,
                "dry_run": dry_run,
                "file": str(file),
                **counts,
                "resumed_after": resumed,
                "stopped": stopped,
                "seconds": round(time.monotonic() - began, 3),
                "findings": findings,
            }
        )
    else:
        print_fields((name, str(value)) for name, value in counts.items())
        print_fields((rule, str(number)) for rule, number in findings["by_rule"].items())
        for one in report.listed[:20]:
            context.say(f"ligne {one.row} : {one.field} {one.message_fr or one.message}")
    if stopped:
        note("stopped: the same command goes on from there")
    if not ok:
        raise typer.Exit(Exit.PROBLEMS)
