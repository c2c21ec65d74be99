"""Watched folders of documents: each PDF or CDA with its description is handed to the PFI, then put away.

    letter.pdf + letter.pdf.json (or letter.json, letter.toml)   taken -> archive/
                                                                   refused -> error/ with letter.pdf.reason.txt
    old.delete.json                                              a deletion: a description without document

A pair is taken once size and date of both are the same at two looks, and only if they still are when both were read.
One of which a file is empty is about to be written, until it stayed so for `empty_seconds`: it is refused then.
What a crash leaves in the folder is handed in again: the same document changes nothing. The description leaves first:
left alone, it would be taken for that of the next document of that name.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import structlog

from insigne.dmp.intake.body import PIECE, Body, BodyError, collect
from insigne.dmp.intake.codes import Code, IntakeRefused, refused
from insigne.dmp.intake.direct import Submission, Taken
from insigne.dmp.intake.ticket import read_ticket
from insigne.dmp.settings_intake import DocumentFolderSettings
from insigne.exchange.errors import StoreError
from insigne.transport.folder_files import FolderError

_log = structlog.get_logger("insigne.transport.documents")
_DOCUMENTS: Final = (".pdf", ".xml")
_DESCRIPTIONS: Final = (".json", ".toml")
_DELETION: Final = ".delete"
_LARGEST_DESCRIPTION: Final = 200_000


class Intake(Protocol):
    """Takes documents (`dmp.intake.direct.DirectIntake`)."""

    def submit(self, submission: Submission) -> Taken:
        """Take a document; durable when it returns. Raises IntakeRefused, StoreError."""
        ...


class Pair(NamedTuple):
    """A description and its document, None for a deletion."""

    description: Path
    document: Path | None

    @property
    def files(self) -> list[Path]:
        """Both, in the order in which they leave."""
        return [one for one in (self.description, self.document) if one is not None]


class DocumentFolder:
    """Serve one folder by polling, with one task; blocking work runs in a thread."""

    def __init__(
        self, settings: DocumentFolderSettings, intake: Intake, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._monotonic = monotonic
        root = Path(settings.path)
        self._root, self._done, self._failed = root, root / settings.done, root / settings.failed
        self._seen: dict[Path, tuple[int, int]] = {}
        self._empty: dict[Path, float] = {}  # since when these have not changed, by our clock
        self._troubled: set[Path] = set()  # what was told already
        self.taken = 0
        self.refused = 0

    async def run(self) -> None:
        """Watch until cancelled. Raises FolderError at once when the folder cannot be used."""
        await asyncio.to_thread(self.prepare)
        while True:
            await asyncio.to_thread(self.poll)
            await asyncio.sleep(self._settings.poll_seconds)

    def prepare(self) -> None:
        """Make the folders that are missing. Raises FolderError."""
        if not self._root.is_dir():
            raise FolderError(f"{self._root} is not a folder; make it, or correct dmp.intake.folders")
        try:
            for folder in (self._done, self._failed):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{error.filename}: {error.strerror}; give this user the right to make it") from error

    def poll(self) -> None:
        """Look at the folder once and hand in what is complete. Never raises: what is wrong is logged.

        Files that cannot be read or moved stay where they are, and bar no other.
        """
        folder = self._settings.name
        try:
            ready = self._ready()
        except OSError as error:
            _log.error("folder of documents cannot be read", folder=folder, error=error.strerror)
            return
        for pair in ready:
            try:
                self._hand_in(pair)
            except StoreError as error:
                _log.warning("documents wait: the base does not answer", folder=folder, error=str(error))
                return
            except Exception as error:  # of these files, or a defect of ours: the others do not wait for it
                reason = error.strerror if isinstance(error, OSError) else type(error).__name__
                if pair.description not in self._troubled:  # said once; the names may be those of patients
                    _log.error("a document stays in its folder", folder=folder, error=reason)
                self._troubled.add(pair.description)

    def _ready(self) -> list[Pair]:
        """The pairs that nobody writes any more, oldest first."""
        marks: dict[Path, tuple[int, int]] = {}
        for path in self._root.iterdir():
            if path.is_file() and not path.is_symlink() and not path.name.endswith(self._settings.temporary_suffixes):
                marks[path] = _mark(path)
        still = {path for path, mark in marks.items() if self._seen.get(path) == mark}
        now = self._monotonic()
        empty = (path for path, (size, _) in marks.items() if not size)
        self._empty = {path: self._empty.get(path, now) if path in still else now for path in empty}
        still -= {path for path, since in self._empty.items() if now - since < self._settings.empty_seconds}
        self._seen = marks
        self._troubled.intersection_update(marks)
        pairs = [pair for pair in _pairs(marks) if still.issuperset(pair.files)]
        return sorted(pairs, key=lambda pair: marks[pair.description][1])

    def _hand_in(self, pair: Pair) -> None:
        source = f"folder:{self._settings.name}"
        try:
            with pair.description.open("rb") as described:
                ticket = read_ticket(pair.description.name, described.read(_LARGEST_DESCRIPTION + 1))
            body = self._body(pair.document) if pair.document is not None else None
            if not all(map(self._is_unchanged, pair.files)):
                return  # written again meanwhile: what was read may be of two pairs
            taken = self._intake.submit(Submission(source, ticket, body))
        except IntakeRefused as error:
            self.refused += 1
            _log.warning("document refused", folder=self._settings.name, code=error.code)
            name = (pair.document or pair.description).name
            reason = f"{error.code} {error}\n{error.code} {error.text_fr}\n"
            _free(self._failed / f"{name}.reason.txt").write_text(reason, encoding="utf-8")
            self._put_away(pair, self._failed)
            return
        self.taken += 1
        _log.info("document taken", folder=self._settings.name, document=taken.document)
        self._put_away(pair, self._done)

    def _body(self, document: Path) -> Body:
        def pieces() -> Iterator[bytes]:
            with document.open("rb") as source:
                while piece := source.read(PIECE):
                    yield piece

        most = self._settings.max_bytes
        try:
            return collect(pieces(), most)
        except BodyError as error:
            large = error.reason == "size"
            text = f"the document has more than {most} bytes" if large else "the document is empty"
            text_fr = f"le document dépasse {most} octets" if large else "le document est vide"
            raise refused(Code.OTHER, text, text_fr, rule="size") from None

    def _put_away(self, pair: Pair, folder: Path) -> None:
        for path in pair.files:
            if self._is_unchanged(path):  # else it is the next one of that name
                path.replace(_free(folder / path.name))
                self._seen.pop(path, None)

    def _is_unchanged(self, path: Path) -> bool:
        return self._seen.get(path) == _mark(path)


def _pairs(present: dict[Path, tuple[int, int]]) -> Iterator[Pair]:
    """Documents with the description beside them, and deletions."""
    for path in present:
        if path.suffix.lower() in _DOCUMENTS:
            names = [path.with_name(path.name + end) for end in _DESCRIPTIONS]
            names += [path.with_suffix(end) for end in _DESCRIPTIONS]
            described = next((one for one in names if one in present), None)
            if described is not None:
                yield Pair(described, path)
        elif path.suffix.lower() in _DESCRIPTIONS and path.stem.endswith(_DELETION):
            yield Pair(path, None)


def _mark(path: Path) -> tuple[int, int]:
    """What tells whether a file is still being written, or is another one."""
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def _free(path: Path) -> Path:
    """A path that nothing has: senders use the same names again."""
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return free
