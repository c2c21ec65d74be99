"""Watched folders: every message of every complete file is submitted, in order, and each answer becomes a file."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from insigne.exchange.model import Peer
from insigne.exchange.ports import Receiver
from insigne.hl7 import split_messages
from insigne.transport.folder_files import FolderFiles, UnreadableError
from insigne.transport.settings import FolderSettings
from insigne.transport.submission import NotKeptError, Submission

_log = structlog.get_logger("insigne.transport.folder")


class FolderIntake:
    """Serve one watched folder by polling, with one task.

    clock: the present time, RFC 3339 UTC; `monotonic`: seconds, to measure how long. Files are processed one after
    another; blocking work runs in a thread.
    """

    def __init__(
        self,
        settings: FolderSettings,
        receiver: Receiver,
        *,
        clock: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._submission = Submission(receiver, Peer(settings.name, "folder"), clock, settings.in_flight)
        self._files = FolderFiles(settings, monotonic)
        self._stopping = asyncio.Event()
        self._claimed: list[Path] = []  # oldest first; more than one only after a crash or a failure
        self._troubled: set[str] = set()  # what has been reported and may well go on
        self.files = 0
        """Files processed since the start."""
        self.messages = 0
        self.failures = 0
        """Files moved to the error folder."""

    async def run(self) -> None:
        """Watch until `stop`. Raises FolderError at once when the folder cannot be used."""
        await self.start()
        while not self._stopping.is_set():
            await self.poll()
            try:
                await asyncio.wait_for(self._stopping.wait(), self._settings.poll_seconds)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Ask `run` to end; the file being processed is finished first, unless its messages cannot be kept."""
        self._stopping.set()

    async def start(self) -> None:
        """Make the folders, take up what a crash left. Raises FolderError."""
        await asyncio.to_thread(self._files.prepare)
        self._claimed = await asyncio.to_thread(self._files.resume)

    async def poll(self) -> None:
        """Look at the folder once and process what is complete. Never raises: what is wrong is logged, once."""
        try:
            if not await self._process_claimed():
                return  # order is kept: nothing newer before what could not be finished
            for name in await asyncio.to_thread(self._files.ready):
                if self._stopping.is_set():
                    return
                path = await self._claim(name)
                if path is None:
                    continue
                self._claimed.append(path)
                if not await self._process_claimed():
                    return
            for path in await asyncio.to_thread(self._files.put_empty_away):
                self._count_failure(path, "it stayed empty")
        except OSError as error:
            self._report("folder.trouble", "", error=error.strerror)
        else:
            self._troubled.clear()

    async def _claim(self, name: str) -> Path | None:
        try:
            return await asyncio.to_thread(self._files.claim, name)
        except OSError as error:
            self._report("folder.cannot-claim", name, error=error.strerror)
            return None

    async def _process_claimed(self) -> bool:
        """Process the claimed files; return whether all are finished."""
        while self._claimed:
            if not await self._process(self._claimed[0]):
                return False
            self._claimed.pop(0)
        return True

    async def _process(self, path: Path) -> bool:
        """Process one file; return whether it is finished."""
        try:
            data = await asyncio.to_thread(self._files.read, path)
            if data is None:
                return False  # still being written
            await self._submit_all(path, split_messages(data))
        except FileNotFoundError:
            _log.warning("folder.vanished", folder=self._settings.name, file=path.name)
            return True
        except UnreadableError as error:
            self._count_failure(await asyncio.to_thread(self._files.fail, path, str(error)), str(error))
            return True
        except NotKeptError:
            self._report("folder.not-kept", path.name)
            return False
        await asyncio.to_thread(self._files.finish, path)
        self.files += 1
        return True

    def _count_failure(self, path: Path, reason: str) -> None:
        self.failures += 1
        _log.warning("folder.unreadable", folder=self._settings.name, file=path.name, reason=reason)

    async def _submit_all(self, path: Path, messages: Sequence[bytes]) -> None:
        """Submit in batches, and write the acknowledgements of each before the next."""
        if not messages:
            raise UnreadableError("it holds no message")
        async for first, payloads in self._submission.answers(messages):
            await asyncio.to_thread(self._files.write_acks, path, first, payloads)
            self.messages += len(payloads)

    def _report(self, event: str, file: str, **details: str | None) -> None:
        if event + file not in self._troubled:
            self._troubled.add(event + file)
            _log.error(event, folder=self._settings.name, file=file, **details)
