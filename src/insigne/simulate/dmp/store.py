"""What the simulated DMP holds: documents, metadata and bytes, in one SQLite file, durable before it answers."""

import errno
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from insigne.simulate.dmp.mime import Content

_FILE: Final = "dmp.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS document (
    unique_id TEXT PRIMARY KEY, entry_uuid TEXT NOT NULL UNIQUE, logical_id TEXT NOT NULL, person TEXT NOT NULL,
    patient TEXT NOT NULL, structure TEXT NOT NULL, status TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL,
    mime TEXT NOT NULL, title TEXT NOT NULL, type_code TEXT NOT NULL, class_code TEXT NOT NULL,
    confidentiality TEXT NOT NULL, created TEXT NOT NULL, submitted TEXT NOT NULL, submission TEXT NOT NULL,
    replaces TEXT NOT NULL, received TEXT NOT NULL, changed TEXT NOT NULL, metadata BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS document_person ON document (person, received);
CREATE TABLE IF NOT EXISTS content (unique_id TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS submission (unique_id TEXT PRIMARY KEY, received TEXT NOT NULL);
"""


class Stored(msgspec.Struct, frozen=True):
    """A document held.

    person: number of the patient, 13 characters; patient: `OID|MATRICULE` as it was fed. status: approved, deprecated
    or deleted. hash: SHA-1, 40 hexadecimal digits. confidentiality: codes joined by spaces. created: UTC as the
    metadata have it; submission: uniqueId of its lot; replaces: uniqueId of the version it replaced, or "". received
    and changed: RFC 3339. metadata: its ExtrinsicObject as XML.
    """

    unique_id: str
    entry_uuid: str
    logical_id: str
    person: str
    patient: str
    structure: str
    status: str
    hash: str
    size: int
    mime: str
    title: str
    type_code: str
    class_code: str
    confidentiality: str
    created: str
    submitted: str
    submission: str
    replaces: str
    received: str
    changed: str
    metadata: bytes


_FIELDS: Final = Stored.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)


class DmpStore:
    """The documents of a folder. Used by one thread at a time. Raises OSError for a folder that cannot be used."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _FILE
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._base.close()
            raise OSError(errno.EIO, str(error), str(path)) from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def add(self, documents: Iterable[tuple[Stored, Content]], lot: str, others: Iterable[str], received: str) -> None:
        """Keep the documents of a lot, and the uniqueIds of the lot and of what else was in it, all or none.

        Those that a document replaces become deprecated.
        """
        with self._transaction():
            for name in (lot, *others):
                self._base.execute("INSERT INTO submission VALUES (?, ?)", (name, received))
            for document, content in documents:
                marks = ", ".join("?" * len(_FIELDS))
                values = tuple(getattr(document, name) for name in _FIELDS)
                self._base.execute(f"INSERT INTO document ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - columns of our own
                self._base.execute("INSERT INTO content VALUES (?, zeroblob(?))", (document.unique_id, content.size))
                row = self._base.execute("SELECT rowid FROM content WHERE unique_id = ?", (document.unique_id,))
                with self._base.blobopen("content", "bytes", row.fetchone()[0]) as blob:
                    for piece in content.pieces():
                        blob.write(piece)
                if document.replaces:
                    self._set_status(document.replaces, "deprecated", received)

    def delete(self, unique_id: str, lot: str, moment: str) -> None:
        """Mark a document deleted, and keep the uniqueId of the lot that asked for it."""
        with self._transaction():
            self._base.execute("INSERT INTO submission VALUES (?, ?)", (lot, moment))
            self._set_status(unique_id, "deleted", moment)

    def clear(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in ("document", "content", "submission"):
                self._base.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own

    def by_unique_id(self, unique_id: str) -> Stored | None:
        """Return a document by its uniqueId."""
        return next(self._select("unique_id = ?", unique_id), None)

    def by_entry(self, entry_uuid: str) -> Stored | None:
        """Return a document by its entryUUID, or by its logicalId."""
        return next(self._select("? IN (entry_uuid, logical_id)", entry_uuid), None)

    def of_person(self, person: str) -> list[Stored]:
        """Return the documents of a patient, in the order they came."""
        return list(self._select("person = ? ORDER BY received, unique_id", person))

    def persons(self) -> dict[str, int]:
        """Return who has documents, and how many."""
        found = self._base.execute("SELECT person, count(*) FROM document GROUP BY person ORDER BY person")
        return {str(person): int(count) for person, count in found}

    def counts(self) -> dict[str, int]:
        """Return how many documents have each status."""
        found = self._base.execute("SELECT status, count(*) FROM document GROUP BY status ORDER BY status")
        return {str(status): int(count) for status, count in found}

    def has_submission(self, unique_id: str) -> bool:
        """Tell whether a lot, or something in it, had this uniqueId."""
        return self._base.execute("SELECT 1 FROM submission WHERE unique_id = ?", (unique_id,)).fetchone() is not None

    def content(self, unique_id: str) -> bytes | None:
        """Return the bytes of a document."""
        found = self._base.execute("SELECT bytes FROM content WHERE unique_id = ?", (unique_id,)).fetchone()
        return bytes(found[0]) if found else None

    def _select(self, condition: str, *values: str) -> Iterator[Stored]:
        query = f"SELECT {_COLUMNS} FROM document WHERE {condition}"  # noqa: S608 - conditions of our own
        for row in self._base.execute(query, values):
            yield Stored(*row)

    def _set_status(self, unique_id: str, status: str, moment: str) -> None:
        self._base.execute(
            "UPDATE document SET status = ?, changed = ? WHERE unique_id = ?", (status, moment, unique_id)
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")
