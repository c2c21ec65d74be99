"""Files of this machine, with the durability a receiver beside us may count on."""

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from insigne.transport.files import Entry, FilesError, FilesFailure

Result = TypeVar("Result")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class LocalFiles:
    """See `files.Files`. What is written or renamed is on the disk when the method returns."""

    place = "folder"

    async def listing(self, folder: str) -> list[Entry]:
        """See `Files.listing`."""
        return await self._run(lambda: _entries(folder), folder)

    async def read(self, path: str, limit: int) -> bytes:
        """See `Files.read`."""

        def read() -> bytes:
            with Path(path).open("rb") as file:
                return file.read(limit + 1)

        return await self._run(read, path)

    async def write(self, path: str, data: bytes) -> None:
        """See `Files.write`."""

        def write() -> None:
            with Path(path).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

        await self._run(write, path)

    async def replace(self, source: str, target: str) -> None:
        """See `Files.replace`; the name is durable on return."""

        def replace() -> None:
            Path(source).replace(target)
            handle = os.open(Path(target).parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

        await self._run(replace, source)

    async def remove(self, path: str) -> None:
        """See `Files.remove`."""
        await self._run(lambda: Path(path).unlink(missing_ok=True), path)

    async def exists(self, path: str) -> bool:
        """See `Files.exists`."""
        return await self._run(lambda: Path(path).exists(), path)

    async def make_folder(self, folder: str) -> None:
        """See `Files.make_folder`."""
        await self._run(lambda: Path(folder).mkdir(exist_ok=True), folder)

    async def close(self) -> None:
        """See `Files.close`: nothing is kept open."""

    @staticmethod
    async def _run(work: Callable[[], Result], path: str) -> Result:
        """Run blocking work in a thread."""
        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError as error:
            raise FilesError("missing", f"{path}: no such file or folder") from error
        except OSError as error:
            kind: FilesFailure = "full" if error.errno in _FULL else "refused"
            raise FilesError(kind, f"{path}: {error.strerror}") from error


def _entries(folder: str) -> list[Entry]:
    entries = []
    with os.scandir(folder) as found:
        for one in found:
            status = one.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and not one.name.startswith("."):
                entries.append(Entry(one.name, status.st_size, status.st_mtime_ns))
    return entries
