"""Folders of other machines: every message of every complete file is fetched and submitted, in order, and answered.

A file stays on its server until every message of it is committed here and its acknowledgements are there; then it is
moved or removed. Wherever we die, it is fetched again: messages already applied are told by their MSH-10. Each folder
has one reader: two would take the same file.
"""

import asyncio
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import PurePosixPath

import structlog

from insigne.exchange.model import Peer
from insigne.exchange.ports import Receiver
from insigne.hl7 import split_messages
from insigne.transport.files import Entry, Files, FilesError, join
from insigne.transport.settings import RemoteFolderSettings
from insigne.transport.submission import NotKeptError, Submission

_UNFINISHED = ".insigne-unfinished"
_log = structlog.get_logger("insigne.transport.remote")


class RemoteFolderIntake:
    """Serve one folder of a server by polling, with one task.

    clock: the present time, RFC 3339 UTC; `monotonic`: seconds, to measure how long.
    """

    def __init__(
        self,
        settings: RemoteFolderSettings,
        files: Files,
        receiver: Receiver,
        *,
        clock: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._files = files
        endpoint = "sftp" if settings.sftp is not None else "ftp"
        self._submission = Submission(receiver, Peer(settings.name, endpoint), clock, settings.in_flight)
        self._stopping = asyncio.Event()
        self._monotonic = monotonic
        self._seen: dict[str, Entry] = {}
        self._empty: dict[str, float] = {}  # since when these have not changed, by our clock
        self._settled: dict[str, bytes] = {}
        """Digests of the files whose messages are committed and which could not be taken away yet."""
        self._troubled: set[str] = set()  # what has been reported and may well go on
        self.files = 0
        """Files processed since the start."""
        self.messages = 0
        self.failures = 0
        """Files that could not be read as messages."""
        self.trouble = ""
        """Why the last look at the folder could not be finished; "" when it could."""

    async def run(self) -> None:
        """Watch until `stop`. A server out of reach is tried again at every poll."""
        try:
            while not self._stopping.is_set():
                await self.poll()
                try:
                    await asyncio.wait_for(self._stopping.wait(), self._settings.poll_seconds)
                except TimeoutError:
                    continue
        finally:
            await self._files.close()

    def stop(self) -> None:
        """Ask `run` to end; the file being processed is finished first."""
        self._stopping.set()

    async def poll(self) -> None:
        """Look at the folder once and process what is complete. Never raises: what is wrong is logged, once."""
        try:
            present = {entry.name: entry for entry in await self._files.listing(self._settings.path)}
            self._settled = {name: digest for name, digest in self._settled.items() if name in present}
            for entry in self._ready(present):
                if self._stopping.is_set():
                    return
                await self._process(entry)
        except NotKeptError:
            self.trouble = "the messages of a file cannot be kept now"
            self._report("remote.not-kept", "")
        except FilesError as error:
            self.trouble = str(error)
            self._report("remote.trouble", error.kind, error=str(error))
        else:
            self.trouble = ""
            self._troubled.clear()

    def _ready(self, present: dict[str, Entry]) -> list[Entry]:
        """The files that are complete, oldest first: declared by their semaphore, or the same at two looks."""
        wanted = {name: entry for name, entry in present.items() if self._is_wanted(name)}
        if self._settings.semaphore == "suffix":
            ready = [entry for name, entry in wanted.items() if any(one in present for one in self._semaphores(name))]
        else:
            still = [entry for name, entry in wanted.items() if self._seen.get(name) == entry]
            self._seen = wanted
            ready = [entry for entry in still if entry.size] + self._left_empty(wanted, still)
        return sorted(ready, key=lambda entry: (entry.changed, entry.name))

    def _left_empty(self, wanted: dict[str, Entry], still: list[Entry]) -> list[Entry]:
        """The files that stay empty; the others have been opened, and are still to be written."""
        now = self._monotonic()
        unchanged = {entry.name for entry in still}
        empty = [name for name, entry in wanted.items() if not entry.size]
        self._empty = {name: self._empty.get(name, now) if name in unchanged else now for name in empty}
        return [wanted[name] for name, since in self._empty.items() if now - since >= self._settings.empty_seconds]

    def _is_wanted(self, name: str) -> bool:
        settings = self._settings
        return (
            fnmatchcase(name, settings.pattern)
            and "/" not in name
            and not name.endswith((*settings.temporary_suffixes, _UNFINISHED))
            and not (settings.semaphore == "suffix" and name.endswith(settings.semaphore_suffix))
        )

    def _semaphores(self, name: str) -> tuple[str, str]:
        """The names under which a sender may declare this file: `a.hl7.ok`, `a.ok`."""
        suffix = self._settings.semaphore_suffix
        return name + suffix, PurePosixPath(name).stem + suffix

    async def _process(self, entry: Entry) -> None:
        """Fetch, submit, answer, and only then take a file away. Raises FilesError, NotKeptError."""
        settings = self._settings
        path = join(settings.path, entry.name)
        if entry.size > settings.max_file_bytes:
            await self._fail(entry.name, f"it has {entry.size} bytes, more than max_file_bytes; split it")
            return
        try:
            data = await self._files.read(path, settings.max_file_bytes)
        except FilesError as error:
            if error.kind != "missing" or await self._files.exists(path):
                raise
            _log.warning("remote.vanished", folder=settings.name, file=entry.name)
            return
        if len(data) != entry.size:
            self._empty.pop(entry.name, None)
            return  # still being written: it is looked at again
        messages = split_messages(data)
        if not messages:
            await self._fail(entry.name, "it holds no message" if data else "it is empty")
            return
        digest = sha256(data).digest()
        if self._settled.get(entry.name) != digest:
            async for first, payloads in self._submission.answers(messages):
                await self._write_acks(entry.name, first, payloads)
                self.messages += len(payloads)
            self._settled[entry.name] = digest
        await self._leave(entry.name, settings.done)
        self.files += 1

    async def _write_acks(self, name: str, first: int, payloads: list[bytes]) -> None:
        if not self._settings.acks:
            return
        folder = join(self._settings.path, self._settings.acks)
        await self._files.make_folder(folder)
        for number, payload in enumerate(payloads, first):
            if payload:
                target = join(folder, f"{name}.{number:04d}.ack")
                await self._files.write(target + _UNFINISHED, payload)
                await self._files.replace(target + _UNFINISHED, target)

    async def _fail(self, name: str, reason: str) -> None:
        await self._leave(name, self._settings.failed)
        self.failures += 1
        _log.warning("remote.unreadable", folder=self._settings.name, file=name, reason=reason)

    async def _leave(self, name: str, folder: str) -> None:
        """Move a file away, or remove it when no folder is named; its semaphore first, for the next of that name."""
        path = join(self._settings.path, name)
        if self._settings.semaphore == "suffix":
            for semaphore in self._semaphores(name):
                await self._files.remove(join(self._settings.path, semaphore))
        if folder:
            target = join(self._settings.path, folder)
            await self._files.make_folder(target)
            await self._files.replace(path, await self._free(target, name))
        else:
            await self._files.remove(path)
        self._seen.pop(name, None)
        self._settled.pop(name, None)

    async def _free(self, folder: str, name: str) -> str:
        """A path of the folder that nothing has: senders use the same names again."""
        free, number = join(folder, name), 1
        while await self._files.exists(free):
            number += 1
            free = join(folder, f"{name}~{number}")
        return free

    def _report(self, event: str, kind: str, **details: str) -> None:
        if event + kind not in self._troubled:
            self._troubled.add(event + kind)
            _log.error(event, folder=self._settings.name, **details)
