"""`GET /api/v1/changes?after=CURSOR`: what changed, to be read again and again from where one stopped.

The cursor is durable: it is a place in the journal, which nothing moves. An application that keeps the `next` of the
last page it has dealt with misses nothing and sees nothing twice, whatever happens to either side.
"""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from insigne.api.deps import ApiDeps
from insigne.api.responses import json_response
from insigne.fhir.changes import change_item, changes_after

PATH: Final = "/api/v1/changes"
DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 1000


class Changes:
    """The handler. It runs in a thread, each request on a view of its own."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    def list(self, request: Request) -> Response:
        """A page of changes, as `{"items": [{"cursor", "time", "event", "patient"}], "next"}`."""
        unknown = set(request.query_params) - {"after", "limit"}
        if unknown:
            raise HTTPException(400, "parameters are after and limit")
        after = _number(request, "after", 0)
        limit = max(1, min(_number(request, "limit", DEFAULT_LIMIT), MOST_LIMIT))
        with self._deps.reader() as reader:
            if after and not reader.changes_after(after - 1, 1):
                raise HTTPException(400, "after: this base has no change so far on; read again from the beginning")
            found = changes_after(reader, after, limit)
            cog = self._deps.cog()
            items = [change_item(reader, change, cog) for change in found]
        following = items[-1]["cursor"] if items else str(after)
        return json_response({"items": items, "next": following})


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise HTTPException(400, f"{name}: given twice")
    text = given[0] if given else ""
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise HTTPException(400, f"{name}: a number is expected, a cursor being the one of an item or of next")
    return int(text)
