"""The body of a form, bounded in size and time."""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

LARGEST_FORM: Final = 16_384
LONGEST_SECONDS: Final = 15.0
MOST_FIELDS: Final = 50

_TYPE: Final = "application/x-www-form-urlencoded"


class BodyRefused(Exception):  # noqa: N818 - a decision, not a failure
    """The body is not the one of a form of ours; `status` is the HTTP status that says so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_form(request: Request, seconds: float = LONGEST_SECONDS) -> dict[str, str]:
    """The fields of a form sent as `application/x-www-form-urlencoded`, the first value of each. Raises BodyRefused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise BodyRefused(415, f"a form is sent as {_TYPE}")
    try:
        async with asyncio.timeout(seconds):
            body = await _bounded(request)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except TimeoutError:
        raise BodyRefused(408, f"the body did not come within {seconds:g} s") from None
    except ValueError:  # too many fields, or bytes that are not UTF-8
        raise BodyRefused(400, "the body is not a form") from None
    return dict(reversed(pairs))


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise BodyRefused(413, f"a form has at most {LARGEST_FORM} bytes")
    return bytes(body)
