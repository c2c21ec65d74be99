"""Files of a peer, wherever they are: what deposit and collection need of a folder, of a server of SFTP or FTP.

Every operation may be done again after a failure: `write` and `replace` put the same thing at the same place.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

FilesFailure = Literal[
    "unreachable", "refused-tls", "refused-credentials", "timeout", "closed", "full", "missing", "refused"
]
"""No connection; a server that is not the one expected, or certificates that disagree; we are not let in; too slow;
cut; no room there; no such file or folder; an operation that the place does not allow."""

#: Failures after which a connection is still good: the other side understood and said no.
_ANSWERED: frozenset[FilesFailure] = frozenset({"full", "missing", "refused"})

Connection = TypeVar("Connection")
Result = TypeVar("Result")


class FilesError(Exception):
    """An operation that failed. The text names the place and the reason, never content."""

    def __init__(self, kind: FilesFailure, text: str) -> None:
        self.kind = kind
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file of a folder. `changed` grows with its date, in whatever unit its place has; 0 when not told."""

    name: str
    size: int
    changed: float


class Files(Protocol):
    """Where files are. Paths are as that place writes them, separated by `/`. Every method raises FilesError."""

    place: str
    """Named in texts: `sftp://user@host:22`."""

    async def listing(self, folder: str) -> list[Entry]:
        """The regular files of a folder, in any order; hidden ones (`.name`) are left out."""
        ...

    async def read(self, path: str, limit: int) -> bytes:
        """The content of a file; its first `limit` bytes and one more when it is longer. Kind "missing" without it."""
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Write a file whole, over what it held."""
        ...

    async def replace(self, source: str, target: str) -> None:
        """Give a file another name, over the file that has it, at once where the place can."""
        ...

    async def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...

    async def exists(self, path: str) -> bool:
        """Whether there is a file or a folder of that name."""
        ...

    async def make_folder(self, folder: str) -> None:
        """Make a folder in one that exists; nothing happens when it is there."""
        ...

    async def close(self) -> None:
        """Give up the connection, if there is one; the object may be used again."""
        ...


def join(folder: str, name: str) -> str:
    """The path of a name in a folder; an absolute name stays as it is."""
    if name.startswith("/") or not folder:
        return name
    return f"{folder.rstrip('/')}/{name}"


class Kept(Generic[Connection]):
    """One connection, made when needed and kept, on which operations run one at a time.

    open: makes a connection, and raises FilesError. end: gives one up, without waiting and without raising.
    alive: whether a kept one still stands, as far as can be seen. understood: what an exception of an operation means;
    None for one that is a defect of ours.
    """

    def __init__(
        self,
        place: str,
        *,
        seconds: float,
        open_: Callable[[], Awaitable[Connection]],
        end: Callable[[Connection], None],
        alive: Callable[[Connection], bool],
        understood: Callable[[Exception], FilesError | None],
    ) -> None:
        self.place = place
        self._seconds = seconds
        self._open = open_
        self._end = end
        self._alive = alive
        self._understood = understood
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run an operation; once more on a new connection when a kept one turns out to be dead. Raises FilesError."""
        async with self._lock:
            kept = self._connection is not None and self._alive(self._connection)
            try:
                return await self._attempt(work)
            except FilesError as error:
                if not (kept and error.kind == "closed"):
                    raise
            return await self._attempt(work)

    async def close(self) -> None:
        """Give up the connection once the operation under way has ended."""
        async with self._lock:
            self._drop()

    async def _attempt(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        if self._connection is None or not self._alive(self._connection):
            self._drop()
            self._connection = await self._open()
        try:
            async with asyncio.timeout(self._seconds):
                return await work(self._connection)
        except TimeoutError as error:
            self._drop()
            raise FilesError("timeout", f"{self.place}: not done in {self._seconds:g} s") from error
        except Exception as error:
            failure = self._understood(error)
            if failure is None or failure.kind not in _ANSWERED:
                self._drop()
            if failure is None:
                raise
            raise failure from error
        except BaseException:  # cancelled in the middle: what the connection would say next is not known
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._end(connection)
