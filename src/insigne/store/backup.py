"""Copying a base to a file while it works, and putting a copy in its place.

A base of any revision this program knows can be copied, so that one is kept before an upgrade; put back, it is brought
up to date.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from insigne.exchange.errors import StoreError
from insigne.store.audit import AuditEntry
from insigne.store.audit_verify import audit_verify
from insigne.store.errors import SchemaError, SchemaMissing
from insigne.store.lock import FolderLock
from insigne.store.moments import utc_now
from insigne.store.opening import REVISIONS, check_revision, is_sqlite, open_store, upgrade
from insigne.store.report import Progress, Report, silent
from insigne.store.sqlite import SqliteSession, path_of

#: Pages copied between two pauses: other writers get in between.
_PAGES: Final = 2048
#: Seconds after which a tool of PostgreSQL is stopped.
_TOOL_LIMIT: Final = 6 * 3600
#: A table in the list of a `pg_dump` archive: "215; 1259 16386 TABLE public journal insigne".
_LISTED_TABLE: Final = re.compile(r"^\d+; \d+ \d+ TABLE (?!DATA )\S+ (\S+)", re.MULTILINE)
#: The row of alembic_version in what `pg_restore` writes of it.
_DUMPED_REVISION: Final = re.compile(r"^COPY .*alembic_version .*\n(\w+)$", re.MULTILINE)


def backup(
    url: str,
    target: Path,
    author: str,
    progress: Progress = silent,
    *,
    now: Callable[[], str] = utc_now,
    wait: float = 30.0,
) -> Report:
    """Copy the base, as of one moment, to the new file `target` while it works, then check the copy.

    SQLite gives a base one can open; PostgreSQL a `pg_dump` archive (custom format). The file appears whole or not at
    all. The base may be of an earlier revision. Raises StoreError when `target` exists or cannot be written, StoreBusy
    when the act cannot be recorded.
    """
    if target.exists():
        raise StoreError(f"backup: {target} exists: name a new file")
    if not target.parent.is_dir():
        raise StoreError(f"backup: there is no folder {target.parent}: make it, or name a file elsewhere")
    store = open_store(url, wait=wait, older=True)
    try:
        with store.begin() as transaction:
            transaction.record(AuditEntry(author, "backup-made", target.name, now()))
            transaction.commit()
    finally:
        store.close()
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        if is_sqlite(url):
            _copy(path_of(url), partial, progress)
        else:
            _run_tool("pg_dump", "--format=custom", f"--file={partial}", url=url)
        report = check_backup(partial, sqlite_base=is_sqlite(url))
        if report.ok:
            _flush(partial)
            partial.rename(target)
            _flush(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return report


def restore(
    url: str,
    source: Path,
    author: str,
    folder: Path,
    progress: Progress = silent,
    *,
    force: bool = False,
    now: Callable[[], str] = utc_now,
) -> Report:
    """Put the backup `source` in the place of the base; nothing is touched unless the backup is found good.

    `folder` is the data folder: refused while a server holds it (LockHeld), as is a base that holds data unless
    `force`. The base is replaced at once (SQLite) or in one transaction (PostgreSQL). A backup of an earlier revision
    is brought up to date, before it takes its place (SQLite) or once it has (PostgreSQL): the report then says
    `upgraded`. The act is recorded in the restored base. Raises StoreError.
    """
    with FolderLock(folder):
        if not force and _holds_data(url):
            raise StoreError("restore: the base holds data already: add --force to replace it by the backup")
        report = check_backup(source, sqlite_base=is_sqlite(url))
        if not report.ok:
            return report
        older = report.checked["revision"] != REVISIONS[-1]
        if is_sqlite(url):
            _replace(path_of(url), source, progress, older=older)
        else:
            options = ("--single-transaction", "--clean", "--if-exists", "--no-owner")
            _run_tool("pg_restore", *options, str(source), url=url)
            if older:
                upgrade(url, only=_LISTED_TABLE.findall(_listing(source)))
        if older:
            report.checked["upgraded"] = REVISIONS[-1]
        store = open_store(url, wait=30.0)
        try:
            with store.begin() as transaction:
                transaction.record(AuditEntry(author, "backup-restored", source.name, now()))
                transaction.commit()
        finally:
            store.close()
    return report


def check_backup(file: Path, *, sqlite_base: bool) -> Report:
    """Whether a backup can be restored: it opens, its structures are sound, its tables known, its seals unbroken.

    The report tells the revision of the tables. Of a PostgreSQL archive, structures and seals are left to the restore.
    """
    if not file.is_file():
        raise StoreError(f"backup: there is no file {file}")
    if not sqlite_base:
        return _check_archive(file)
    try:
        return _check_sqlite(file)
    except StoreError as error:
        return Report(problems=[f"not a sound base: {error}"])


def _check_sqlite(file: Path) -> Report:
    session = SqliteSession(file, read_only=True)
    try:
        report = Report(problems=[f"database: {problem}" for problem in session.integrity()])
        revision = session.revision()
    finally:
        session.close()
    _check_revision(report, revision)
    if not report.ok:
        return report
    store = open_store(f"sqlite:///{file.absolute()}", read_only=True, older=True)
    try:
        verified = audit_verify(store)
    finally:
        store.close()
    verified.checked |= report.checked
    return verified


def _check_archive(file: Path) -> Report:
    lines = [line for line in _listing(file).splitlines() if line and not line.startswith(";")]
    report = Report(checked={"bytes": file.stat().st_size, "objects": len(lines)})
    table = _run_tool("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    found = _DUMPED_REVISION.search(table)
    _check_revision(report, found[1] if found else None)
    return report


def _check_revision(report: Report, found: str | None) -> None:
    report.checked["revision"] = found or "none"
    try:
        check_revision(found, older=True)
    except SchemaError:
        known = " or ".join(REVISIONS)
        report.problem(f"tables of revision {found or 'none'}, this program knows {known}")


def _copy(path: Path, target: Path, progress: Progress) -> None:
    session = SqliteSession(path, read_only=True)
    try:
        session.backup(target, _PAGES, lambda _status, left, total: progress(total - left, total))
    finally:
        session.close()


def _holds_data(url: str) -> bool:
    """Whether there is anything but an installation in the base."""
    try:
        store = open_store(url, read_only=True, older=True)
    except SchemaMissing:
        return False
    try:
        with store.read() as view:
            return view.head() is not None or any(view.counts().values())
    finally:
        store.close()


def _replace(path: Path, source: Path, progress: Progress, *, older: bool) -> None:
    """Put a copy of `source`, upgraded if it is of an `older` revision, in the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.restoring")
    # The journal of an upgrade that was killed must not be applied to the new copy either.
    for leftover in (partial, partial.with_name(f"{partial.name}-journal")):
        leftover.unlink(missing_ok=True)
    progress(0, 1)
    try:
        shutil.copyfile(source, partial)
        if older:
            upgrade(f"sqlite:///{partial.absolute()}")
        _flush(partial)
        if path.exists():
            _close_log(path)
        # The log of the old base must not be applied to the new one.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        partial.replace(path)
        _flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    progress(1, 1)


def _close_log(path: Path) -> None:
    """Bring the log of the old base into its file, so that a crash here leaves a base; refuse while others use it."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
            raise StoreError("restore: another command has the base open: wait until it ends") from error
        # The old base is damaged: it is to be replaced all the same.
    finally:
        connection.close()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _listing(archive: Path) -> str:
    return _run_tool("pg_restore", "--list", str(archive))


def _run_tool(name: str, *options: str, url: str = "") -> str:
    """Run a tool of PostgreSQL, on the base at `url` if given; what it printed.

    The password goes by the environment: command lines are seen by everybody on the machine.
    """
    environment = dict(os.environ)
    if url:
        parts = urlsplit(url)
        if parts.password is not None:
            environment["PGPASSWORD"] = unquote(parts.password)
            parts = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1))
        options = (*options, f"--dbname={parts.geturl()}")
    tool = shutil.which(name)
    if tool is None:
        raise StoreError(f"{name} is not on this machine: install the PostgreSQL client tools of the server's version")
    ran = subprocess.run(  # noqa: S603  # a fixed tool, options of ours
        [tool, *options], capture_output=True, text=True, timeout=_TOOL_LIMIT, check=False, env=environment
    )
    if ran.returncode:
        raise StoreError(f"{name} failed with status {ran.returncode}: {ran.stderr.strip()[-500:]}")
    return ran.stdout
