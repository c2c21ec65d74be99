"""The lock of a data folder: a server holds it as long as it runs, and what needs the base to itself takes it too."""

import fcntl
import os
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Final

from insigne.exchange.errors import StoreError

LOCK_FILE: Final = "server.lock"


class LockHeld(StoreError):  # noqa: N818  # named for what was found
    """Another process holds the data folder; `pid` is its number, 0 when it did not say."""

    def __init__(self, folder: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{who} is using {folder}: stop the server (or wait for the command) and try again")
        self.pid = pid


class FolderLock:
    """Holds a data folder, made if need be, while inside a `with`. The system frees it when the process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> "FolderLock":
        """Take the lock, or raise LockHeld."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # The file stays behind: removing it would let two processes lock two files of the same name.
        file = (self._folder / LOCK_FILE).open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            text = file.read().strip()
            file.close()
            raise LockHeld(self._folder, int(text) if text.isdecimal() else 0) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def holder(folder: Path) -> int | None:
    """The number of the process that holds the folder (0 when it did not say), or None when nobody does."""
    try:
        with FolderLock(folder):
            return None
    except LockHeld as error:
        return error.pid
