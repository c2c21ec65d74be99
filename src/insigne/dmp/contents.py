"""A content read from the base as a file, part by part: a large document is never whole in memory because of us."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from insigne.dmp.model import Content
from insigne.dmp.ports import PART_BYTES, DocumentView

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class StoredContent(io.RawIOBase):
    """The bytes of a content, readable and seekable. Each part is read in a view of its own: nobody is kept waiting."""

    def __init__(self, read: Callable[[], AbstractContextManager[DocumentView]], content: Content) -> None:
        self._read_view = read
        self._content = content
        self._position = 0
        self._part = -1
        self._bytes = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._content.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer; 0 at the end."""
        target = memoryview(buffer).cast("B")
        part, offset = divmod(self._position, PART_BYTES)
        if part != self._part:
            with self._read_view() as view:
                self._bytes = view.content_part(self._content.digest, part)
            self._part = part
        found = self._bytes[offset : offset + len(target)]
        target[: len(found)] = found
        self._position += len(found)
        return len(found)


def opened(read: Callable[[], AbstractContextManager[DocumentView]], content: Content) -> io.BufferedReader:
    """The content as a binary file. Erased by a purge, it is empty."""
    return io.BufferedReader(StoredContent(read, content), PART_BYTES)
