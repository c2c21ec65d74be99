"""Copies of identity documents as rows (`access.copies`)."""

from typing import Final

from insigne.access.document_copy import DocumentCopy
from insigne.store.moments import moment, rfc3339
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer

_COLUMNS: Final = "id, identity, document, media, author, created, expires, vault, content"
_INSERT: Final = f"INSERT INTO document_copy ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
_OF: Final = f"SELECT {_COLUMNS} FROM document_copy WHERE identity = ? ORDER BY id"  # noqa: S608  # no value
EXPIRED: Final = (
    "SELECT id FROM document_copy WHERE expires <= ? AND id > ? AND content IS NOT NULL ORDER BY id LIMIT ?"
)
HOLDS_EXPIRED: Final = "SELECT 1 FROM document_copy WHERE expires <= ? AND content IS NOT NULL LIMIT 1"
ERASE: Final = "UPDATE document_copy SET content = NULL WHERE id = ?"


class CopyReader(Reader):
    """Copies, as both transactions and views read them."""

    def copies_of(self, identity: str) -> list[DocumentCopy]:
        """The copies of the documents of an identity, oldest first, erased ones included."""
        return [_copy(row) for row in self.select(_OF, (identity,))]

    def holds_expired(self, until: str) -> bool:
        """Whether a copy is still held that was to be kept until that moment or before (RFC 3339 UTC)."""
        return bool(self.select(HOLDS_EXPIRED, (until,)))


class CopyWriter(CopyReader, Writer):
    """What a write transaction adds."""

    def put_copy(self, copy: DocumentCopy) -> None:
        """Write a new copy."""
        row = (
            copy.id,
            copy.identity,
            copy.document,
            copy.media,
            copy.author,
            rfc3339(copy.created),
            rfc3339(copy.expires),
            copy.vault,
            copy.content,
        )
        self.execute(_INSERT, row)


def _copy(row: Row) -> DocumentCopy:
    identifier, identity, document, media, author, created, expires, vault, content = row
    return DocumentCopy(
        id=identifier,
        identity=identity,
        document=document,
        media=media,
        author=author,
        created=moment(created),
        expires=moment(expires),
        vault=vault,
        content=None if content is None else bytes(content),
    )
