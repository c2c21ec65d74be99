"""The body of a request that somebody sends us, bounded in size and time."""

import asyncio
from collections.abc import AsyncIterable


class BodyRefused(Exception):  # noqa: N818 - a decision, not a failure
    """The body is not taken; `status` is the HTTP status that says so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_body(chunks: AsyncIterable[bytes], most: int, seconds: float) -> bytes:
    """The whole body, of at most `most` bytes, that comes within so many seconds. Raises BodyRefused (413, 408)."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > most:
                    raise BodyRefused(413, f"the body has at most {most} bytes")
    except TimeoutError:
        raise BodyRefused(408, f"the body did not come within {seconds:g} s") from None
    return bytes(body)
