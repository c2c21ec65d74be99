"""The body of a form, bounded in size and time."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from insigne.net.body import BodyRefused, read_body

LARGEST_FORM: Final = 16_384
LONGEST_SECONDS: Final = 15.0
MOST_FIELDS: Final = 50

_TYPE: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request, seconds: float = LONGEST_SECONDS) -> dict[str, str]:
    """The fields of a form sent as `application/x-www-form-urlencoded`, the first value of each. Raises BodyRefused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise BodyRefused(415, f"a form is sent as {_TYPE}")
    body = await read_body(request.stream(), LARGEST_FORM, seconds)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # too many fields, or bytes that are not UTF-8
        raise BodyRefused(400, "the body is not a form") from None
    return dict(reversed(pairs))
