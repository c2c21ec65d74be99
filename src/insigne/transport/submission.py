"""Handing the messages of a file to the receiver, in order, some at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.ports import Receiver


class NotKeptError(Exception):
    """The receiver could not keep a message: the file is to be processed again."""


class Submission:
    """The way from a peer that gives files to the receiver.

    clock: the present time, RFC 3339 UTC. in_flight: messages of a file processed together.
    """

    def __init__(self, receiver: Receiver, peer: Peer, clock: Callable[[], str], in_flight: int) -> None:
        self._receiver = receiver
        self._peer = peer
        self._clock = clock
        self._in_flight = in_flight

    async def answers(self, messages: Sequence[bytes]) -> AsyncIterator[tuple[int, list[bytes]]]:
        """Yield the acknowledgements (b"" is none) of a few messages with the number of the first, from 1.

        What is yielded is committed. Raises NotKeptError.
        """
        for first in range(0, len(messages), self._in_flight):
            answers = await asyncio.gather(*(self._submit(raw) for raw in messages[first : first + self._in_flight]))
            if not all(answer.durable for answer in answers):
                raise NotKeptError
            yield first + 1, [answer.payload for answer in answers]

    def _submit(self, raw: bytes) -> asyncio.Future[Answer]:
        """Submit now, so that the order of calls is that of the messages."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def settle(answer: Answer) -> None:
            if not answered.done():  # else the intake was cancelled meanwhile
                answered.set_result(answer)

        try:
            self._receiver.submit_nowait(Received(raw, self._peer, self._clock()), settle)
        except Exception as error:
            raise NotKeptError from error
        return answered
