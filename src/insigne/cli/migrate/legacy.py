"""`insigne migrate import-legacy` and `legacy`: the identifiers of the years of API V1, as history only."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from insigne.cli.columns import table_lines
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note
from insigne.cli.identity import named
from insigne.cli.opening import author, existing, reading
from insigne.cli.tables import print_fields, print_table
from insigne.dmp.migration.legacy import Legacy, LegacyLine, Owner, legacy_id, owner_of, read_legacy
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.store import AuditEntry, Store
from insigne.store.moments import rfc3339
from insigne.store.queries import ReadView

app = group_app("Identifiers of former times.")

_BATCH: Final = 200
"""Lines of one transaction: live messages wait for one at most."""
_MOST_PROBLEMS: Final = 100
_PAGE: Final = 1000


@app.command(
    "import-legacy",
    epilog=examples(
        "insigne migrate import-legacy insc.csv --dry-run",
        "insigne migrate import-legacy insc.csv --json",
        "insigne migrate import-legacy --forget insc.csv",
    ),
)
def import_legacy(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.csv", help="The table, with a header: see docs/migration.md.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Match every line, write nothing.")] = False,
    forget: Annotated[str, typer.Option(metavar="NAME", help="Erase what a file of that name brought.")] = "",
) -> None:
    """Take INS-C and TD0.0 data in: kept as history of the patient they belong to, never as an INS.

    A line is matched by its local number, unless its traits contradict it, then by its traits. The same file may
    be taken in again: what was nobody's may have found its owner. Exit 1 when lines were refused.
    """
    context = Context.of(ctx)
    if (file is None) == (not forget):
        fail(Exit.USAGE, "give either FILE.csv or --forget NAME")
    with existing(context, read_only=dry_run) as store:
        if file is None:
            _forget(store, forget)
            return
        course = _Course(store, file.name, dry_run=dry_run)
        with table_lines(file) as text:
            lines = read_legacy(text)
            while batch := list(islice(lines, _BATCH)):
                course.take(batch)
        course.ended()
    report = course.report(file)
    if context.json:
        emit(report)
    else:
        print_fields((name, str(value)) for name, value in report.items() if name not in ("ok", "problems"))
        for problem in course.problems:
            note(problem)
    if not report["ok"]:
        raise typer.Exit(Exit.PROBLEMS)


class _Course:
    """One import under way."""

    def __init__(self, store: Store, source: str, *, dry_run: bool) -> None:
        self._store = store
        self._source = source
        self._dry_run = dry_run
        self._counts: Counter[str] = Counter()
        self.problems: list[str] = []

    def take(self, lines: list[LegacyLine]) -> None:
        """Match and keep some lines."""
        now, kept = rfc3339(datetime.now(UTC)), list[Legacy]()
        with self._store.read() as view:
            for line in lines:
                self._counts["lines"] += 1
                if line.problem:
                    self._counts["refused"] += 1
                    if len(self.problems) < _MOST_PROBLEMS:
                        self.problems.append(f"line {line.number}: {line.problem}")
                    continue
                owner, known = _owner(view, line), view.legacy(legacy_id(line))
                self._counts["known" if known is not None else "new"] += 1
                self._counts[known.matched if known is not None and known.identity else owner.matched] += 1
                kept.append(self._legacy(line, owner, now))
        if not self._dry_run:
            with self._store.begin() as transaction:
                transaction.put_legacy(kept)
                transaction.commit()

    def _legacy(self, line: LegacyLine, owner: Owner, now: str) -> Legacy:
        return Legacy(
            legacy_id(line), line.kind, line.authority, line.value, line.local_authority, line.local_value,
            owner.identity, owner.matched, line.obtained, self._source, now, author(), line.traits,
        )  # fmt: skip

    def ended(self) -> None:
        """Note in the audit trail that it was made."""
        if self._dry_run:
            return
        details = {name: str(self._counts[name]) for name in ("lines", "new", "known", "refused")}
        entry = AuditEntry(author(), "legacy-imported", self._source, rfc3339(datetime.now(UTC)), details)
        with self._store.begin() as transaction:
            transaction.record(entry)
            transaction.commit()

    def report(self, file: Path) -> dict[str, Any]:
        """What came of it; what was matched with nobody says why."""
        names = ("lines", "new", "known", "refused", "identifier", "traits", "nobody", "several", "differs")
        counts = {name: self._counts[name] for name in names}
        ok = not self._counts["refused"]
        return {"ok": ok, "dry_run": self._dry_run, "file": str(file), **counts, "problems": self.problems}


def _owner(view: ReadView, line: LegacyLine) -> Owner:
    by_identifier = (
        _standing(view, view.find_identity(line.local_authority, line.local_value, PERSON_TYPES))
        if line.local_value
        else []
    )
    traits = line.traits
    by_traits = (
        list(view.search(traits.birth_date, name=traits.birth_name, sex=traits.sex))
        if not by_identifier and traits.birth_date and traits.birth_name and traits.sex
        else []
    )
    return owner_of(line, by_identifier, by_traits)


def _standing(view: ReadView, identities: list[str]) -> list[Identity]:
    """The identities that stand for these today, merges followed, each once."""
    found: dict[str, Identity] = {}
    for name in identities:
        identity = view.identity(name)
        while identity is not None and identity.merged_into:
            identity = view.identity(identity.merged_into)
        if identity is not None:
            found[identity.id] = identity
    return list(found.values())


def _forget(store: Store, source: str) -> None:
    with store.begin() as transaction:
        erased = transaction.forget_legacy(source)
        if not erased:
            fail(Exit.PROBLEMS, f"--forget: no line came from {source!r}")
        details = {"lines": str(erased)}
        transaction.record(AuditEntry(author(), "legacy-erased", source, rfc3339(datetime.now(UTC)), details))
        transaction.commit()
    note(f"{erased} lines of {source} erased")


@app.command(
    epilog=examples(
        "insigne migrate legacy --identity 'GAM|4071'",
        "insigne migrate legacy --json | jq -c '{kind, matched}'",
    ),
)
def legacy(
    ctx: typer.Context,
    *,
    identity: Annotated[str, typer.Option(metavar="ID", help="Of this patient; of nobody by default.")] = "",
) -> None:
    """List the identifiers of former times, of a patient or of nobody. With --json, one a line."""
    context = Context.of(ctx)
    with reading(context) as view:
        found = list(_listed(context, view, identity))
    if context.json:
        for one in found:
            emit_line(one)
        return
    print_table(
        ("nature", "valeur", "numéro local", "rapprochement", "obtenu le", "source"),
        (
            (one.kind, one.value, f"{one.local_authority}|{one.local_value}".strip("|"), one.matched, one.obtained,
             one.source)
            for one in found
        ),
        none="aucun identifiant antérieur",
    )  # fmt: skip


def _listed(context: Context, view: ReadView, identity: str) -> Iterator[Legacy]:
    if identity:
        person = named(context, view, identity, view.identity)
        for one in view.with_absorbed(person.id):
            yield from view.legacy_of(one)
        return
    after = ""
    while page := view.legacy_of_nobody(after, _PAGE):
        yield from page
        after = page[-1].id
