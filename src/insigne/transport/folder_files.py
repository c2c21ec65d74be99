"""The files of a watched folder: which are ready, and their way from the folder to the archive.

Nothing is half read and nothing is lost, wherever the process dies, because each step is one rename or one file
written under another name first:

    FILE is ready                  size and date unchanged between two polls, or its semaphore stands beside it
    FILE.ok  -> work/FILE.ok       the declaration that it is ready is kept before the file moves
    FILE     -> work/FILE          claimed: from here on only we touch it
    acks/FILE.0001.ack             each acknowledgement, written whole
    work/FILE.ok removed
    work/FILE -> archive/FILE      done; or error/FILE after error/FILE.reason.txt
    FILE -> error/FILE             it stayed empty: nothing is in it to be claimed

A file found in `work` at the start is processed from its first message again: messages already applied are told by
their MSH-10. All functions here block; they run in a thread.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from insigne.transport.settings import FolderSettings

_UNFINISHED = ".insigne-unfinished"
"""Suffix of what we are writing ourselves; left by a crash, it is written over."""


class FolderError(Exception):
    """A watched folder that cannot be used. The text names the folder, the reason and the remedy."""


class UnreadableError(Exception):
    """A file that goes to the error folder; the text says why, without its content."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells whether a file is still being written."""

    size: int
    changed: int  # nanoseconds


class FolderFiles:
    """One watched folder, as seen by the one task that serves it."""

    def __init__(self, settings: FolderSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self.root = Path(settings.path)
        self.work = self.root / settings.work
        self.done = self.root / settings.done
        self.failed = self.root / settings.failed
        self.acks = self.root / settings.acks
        self._seen: dict[str, _Mark] = {}
        self._empty: dict[str, float] = {}  # since when these have not changed, by our clock

    def prepare(self) -> None:
        """Make the folders that are missing. Raises FolderError."""
        if not self.root.is_dir():
            raise FolderError(f"{self.root} is not a folder; make it, or correct the path of {self._settings.name!r}")
        folders = (self.work, self.done, self.failed, self.acks)
        if len({self.root.resolve(), *(folder.resolve() for folder in folders)}) != len(folders) + 1:
            raise FolderError(f"{self.root}: work, done, failed and acks must be folders of their own")
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
                if folder.stat().st_dev != self.root.stat().st_dev:
                    raise FolderError(f"{folder} is on another file system than {self.root}; files cannot move at once")
                if not os.access(folder, os.W_OK):
                    raise FolderError(f"{folder} cannot be written to by this user; give it the right to")
        except OSError as error:
            raise FolderError(f"{error.filename}: {error.strerror}; give this user the right to make it") from error

    def resume(self) -> list[Path]:
        """Return the files claimed before a crash, oldest first, having claimed those that were about to be."""
        if self._settings.semaphore == "suffix":
            for semaphore in self._entries(self.work):
                for name in self._declared_by(semaphore):
                    if (self.root / name).is_file() and not (self.work / name).exists():
                        self._claim(name)
        # What is not a message file there is a semaphore, and goes with its file.
        names = [name for name in self._entries(self.work) if self._is_wanted(name)]
        return [self.work / name for name in self._by_age(self.work, names)]

    def ready(self) -> list[str]:
        """Return the names of the files that are complete, oldest first."""
        present = self._entries(self.root)
        names = [name for name in present if self._is_wanted(name)]
        if self._settings.semaphore == "suffix":
            names = [name for name in names if any(semaphore in present for semaphore in self._semaphores(name))]
        else:
            marks = {name: mark for name in names if (mark := _mark(self.root / name))}
            still = {name for name, mark in marks.items() if self._seen.get(name) == mark}
            # An empty file has been opened, and is still to be written.
            names = [name for name, mark in marks.items() if mark.size and name in still]
            now = self._monotonic()
            empty = (name for name, mark in marks.items() if not mark.size)
            self._empty = {name: self._empty.get(name, now) if name in still else now for name in empty}
            self._seen = marks
        return self._by_age(self.root, names)

    def put_empty_away(self) -> list[Path]:
        """Move the files that stay empty to the error folder, and return where they are. Raises OSError."""
        longest = self._settings.empty_seconds
        now = self._monotonic()
        left = []
        for name in [name for name, since in self._empty.items() if now - since >= longest]:
            mark = _mark(self.root / name)
            if mark is not None and mark == self._seen.get(name):
                left.append(self.fail(self.root / name, f"it stayed empty for {longest:g} seconds; send it again"))
            del self._empty[name]
        return left

    def claim(self, name: str) -> Path | None:
        """Take a file out of the folder; None when it has gone. Raises OSError when it cannot be moved."""
        for semaphore in self._semaphores(name) if self._settings.semaphore == "suffix" else ():
            if (self.root / semaphore).is_file():
                (self.root / semaphore).replace(self.work / semaphore)
        self._seen.pop(name, None)
        return self._claim(name)

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of a claimed file; None while somebody still writes to it.

        Raises UnreadableError; FileNotFoundError when somebody took it away.
        """
        limit = self._settings.max_file_bytes
        before = _mark(path)
        if before is None:
            raise FileNotFoundError(path.name)
        if before.size > limit:
            raise UnreadableError(f"it has {before.size} bytes, more than max_file_bytes = {limit}; split it")
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise UnreadableError(f"it cannot be read ({error.strerror}); give this user the right to") from error
        return data if _mark(path) == before and len(data) == before.size else None

    def write_acks(self, path: Path, first: int, payloads: list[bytes]) -> None:
        """Write the acknowledgements of consecutive messages, of which the first has this number; b"" is none."""
        for number, payload in enumerate(payloads, first):
            if payload:
                _write_whole(self.acks / f"{path.name}.{number:04d}.ack", payload)
        _sync_folder(self.acks)

    def finish(self, path: Path) -> Path:
        """Move a file whose messages are all answered to the archive, and return where it is."""
        return self._leave(path, self.done)

    def fail(self, path: Path, reason: str) -> Path:
        """Move a file to the error folder, with the reason beside it, and return where it is."""
        target = _free_name(self.failed, path.name)
        _write_whole(target.with_name(f"{target.name}.reason.txt"), f"{path.name}: {reason}\n".encode())
        return self._leave(path, self.failed)

    def _claim(self, name: str) -> Path | None:
        try:
            (self.root / name).replace(self.work / name)
        except FileNotFoundError:
            return None
        _sync_folder(self.work)
        return self.work / name

    def _leave(self, path: Path, folder: Path) -> Path:
        # Its semaphore first: one left behind would declare ready the next file of that name.
        for semaphore in self._semaphores(path.name):
            (self.work / semaphore).unlink(missing_ok=True)
        target = _free_name(folder, path.name)
        path.replace(target)
        _sync_folder(folder)
        return target

    def _is_wanted(self, name: str) -> bool:
        settings = self._settings
        return (
            fnmatchcase(name, settings.pattern)
            and not name.endswith((*settings.temporary_suffixes, _UNFINISHED))
            and not (settings.semaphore == "suffix" and name.endswith(settings.semaphore_suffix))
        )

    def _semaphores(self, name: str) -> tuple[str, str]:
        """The names under which a sender may declare this file: `a.hl7.ok`, `a.ok`."""
        suffix = self._settings.semaphore_suffix
        return name + suffix, Path(name).stem + suffix

    def _declared_by(self, semaphore: str) -> Iterator[str]:
        return (
            name for name in self._entries(self.root) if self._is_wanted(name) and semaphore in self._semaphores(name)
        )

    @staticmethod
    def _entries(folder: Path) -> set[str]:
        """The names of the regular files of a folder; links are not followed, hidden files are left alone."""
        with os.scandir(folder) as entries:
            return {e.name for e in entries if not e.name.startswith(".") and e.is_file(follow_symlinks=False)}

    @staticmethod
    def _by_age(folder: Path, names: list[str]) -> list[str]:
        marks = {name: mark for name in names if (mark := _mark(folder / name))}
        return sorted(marks, key=lambda name: (marks[name].changed, name))


def _mark(path: Path) -> _Mark | None:
    """Return the state of a regular file, None if there is none."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return _Mark(found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _free_name(folder: Path, name: str) -> Path:
    """Return a path of the folder that nothing has: senders use the same names again."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name}~{number}"
    return path


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that readers see whole or not at all, even after a power cut."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
