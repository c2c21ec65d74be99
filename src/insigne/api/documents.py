"""`POST /api/v1/documents`: a document and what is to be done with it, taken in as it comes.

- `multipart/form-data`: `metadata` (JSON, see `dmp.intake.ticket`) and `document` (a file);
- the document itself as the body (`application/pdf`, `text/xml`), its metadata in the header `Document-Metadata`
  (base64 of the JSON);
- `application/json`: the metadata alone, for a deletion.

The token needs `document.write`. Bytes go to a temporary file as they come, never whole in memory.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from insigne.access import Scope
from insigne.api.gate import streamed, token_of
from insigne.api.problems import Error, Problem, of_status
from insigne.dmp.intake.body import PIECE, Body, BodyError, Collector, collect
from insigne.dmp.intake.codes import Code, IntakeRefused
from insigne.dmp.intake.direct import Submission, Taken
from insigne.dmp.intake.ticket import Ticket, read_ticket

PATH: Final = "/api/v1/documents"
METADATA: Final = "Document-Metadata"
_LARGEST_METADATA: Final = 65_536
_AROUND: Final = 131_072
"""Bytes of a form beside its document."""
_SECONDS: Final = 600.0
_DOCUMENTS: Final = frozenset({"application/pdf", "text/xml", "application/xml"})
_STATUS: Final = {Code.UNKNOWN_PATIENT: 404, Code.WRONG_VERSION: 409}
_log = structlog.get_logger("insigne.api.documents")


class Intake(Protocol):
    """Takes documents (`dmp.intake.direct.DirectIntake`)."""

    def submit(self, submission: Submission) -> Taken:
        """Take a document; durable when it returns. Raises IntakeRefused, StoreError."""
        ...


@dataclass(frozen=True)
class DocumentDeps:
    """What takes documents, and how large they may be: for any token, for those of these names."""

    intake: Intake
    most: int
    large: int
    large_tokens: frozenset[str]

    def limit(self, token: str) -> int:
        """The largest document that a token may post."""
        return max(self.most, self.large) if token in self.large_tokens else self.most


class Documents:
    """The handler."""

    def __init__(self, deps: DocumentDeps) -> None:
        self._deps = deps

    def routes(self) -> list[Route]:
        """Its route."""
        return [streamed(PATH, self._post, Scope.DOCUMENT_WRITE)]

    async def _post(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(_SECONDS):
                ticket, body = await self._read(request)
            submission = Submission(f"http:{token_of(request).name}", ticket, body)
            return _answer(await run_in_threadpool(self._deps.intake.submit, submission))
        except TimeoutError:
            return of_status(408, f"the body did not come within {_SECONDS:g} s", {"connection": "close"}).response()
        except ClientDisconnect:
            return of_status(400, "the body did not come whole").response()
        except IntakeRefused as refused:
            return of_refused(refused).response()
        except Problem as problem:
            return problem.response()

    async def _read(self, request: Request) -> tuple[Ticket, Body | None]:
        limit = self._deps.limit(token_of(request).name)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return await _form(request, limit)
        if kind == "application/json":
            return read_ticket("metadata.json", await _whole(request, _LARGEST_METADATA)), None
        if kind in _DOCUMENTS:
            return _header(request), await _raw(request, limit)
        text = "send multipart/form-data, a PDF or XML document, or the metadata of a deletion as application/json"
        raise of_status(415, text, {"connection": "close"})


def _too_large(limit: int) -> Problem:
    return of_status(413, f"the document has more than {limit} bytes", {"connection": "close"})


async def _whole(request: Request, most: int) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > most:
            raise _too_large(most)
    return bytes(found)


async def _raw(request: Request, most: int) -> Body:
    return await _collected(request.stream(), most)


async def _collected(pieces: AsyncGenerator[bytes, None], most: int) -> Body:
    taken = Collector(most)
    try:
        async for piece in pieces:
            if piece:
                taken.add(piece)
        return taken.finish()
    except BodyError as error:
        taken.abandon()
        raise _too_large(most) if error.reason == "size" else of_status(400, "there is no document") from None
    except BaseException:
        taken.abandon()
        raise


def _header(request: Request) -> Ticket:
    text = request.headers.get(METADATA, "")
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise of_status(400, f"the header {METADATA} is base64 of JSON") from None
    return read_ticket("metadata.json", content or b"{}")


async def _form(request: Request, most: int) -> tuple[Ticket, Body | None]:
    async def bounded() -> AsyncGenerator[bytes, None]:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > most + _AROUND:
                raise _too_large(most)
            yield piece

    parser = MultiPartParser(request.headers, bounded(), max_files=1, max_fields=2, max_part_size=_LARGEST_METADATA)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise of_status(400, error.message) from None
    try:
        metadata, document = form.get("metadata"), form.get("document")
        if not isinstance(metadata, str):
            raise of_status(400, "the form has no field `metadata`")
        ticket = read_ticket("metadata.json", metadata.encode())
        if not isinstance(document, UploadFile):
            return ticket, None
        return ticket, await run_in_threadpool(_kept, document, most)
    finally:
        await form.close()


def _kept(document: UploadFile, most: int) -> Body:
    def pieces() -> Iterator[bytes]:
        document.file.seek(0)
        while piece := document.file.read(PIECE):
            yield piece

    try:
        return collect(pieces(), most)
    except BodyError as error:
        raise _too_large(most) if error.reason == "size" else of_status(400, "there is no document") from None


def of_refused(refused: IntakeRefused) -> Problem:
    """A document that is refused, each fault with its rule."""
    first = refused.faults[0]
    code = first.code or Code.OTHER
    status = 413 if first.rule == "size" else _STATUS.get(code, 422)
    errors = [Error("document", one.rule or str(one.code), one.text, one.text_fr) for one in refused.faults]
    return Problem(status, f"document-{code}", str(refused), refused.text_fr, errors)


def _answer(taken: Taken) -> Response:
    _log.info("document taken", document=taken.document, sendings=len(taken.sendings))
    shown = {
        "document": taken.document,
        "unique_id": taken.unique_id,
        "identity": taken.identity,
        "sendings": [
            {"id": one.id, "channel": one.channel, "action": one.action, "state": one.state, "reason": one.reason}
            for one in taken.sendings
        ],
    }
    return Response(msgspec.json.encode(shown), 201, media_type="application/json")
