"""The load: MLLP connections that each send a message, wait for its acknowledgement, check it, and send the next.

Run as a process of its own (`python -m bench.load`), so that the server has a core to itself where there are two.
"""

import asyncio
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import uvloop

from bench import machine
from bench.corpus import Sent

_END = b"\x1c\r"


class Plan(msgspec.Struct):
    """What the process of the load is asked: `warm` messages of each lane are sent first and not counted."""

    host: str
    port: int
    lanes: list[list[Sent]]
    warm: int


class Outcome(msgspec.Struct):
    """What it answers: times in seconds; `codes` counts MSA-1 ("?" when an answer was not the one awaited)."""

    messages: int
    seconds: float
    p50: float
    p99: float
    worst: float
    codes: dict[str, int]

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def ok(self) -> bool:
        return set(self.codes) <= {"AA"}


class Lane(asyncio.Protocol):
    """One connection.

    `answered` messages of those given to `send` have their acknowledgement; `on_answer` is called after each.
    """

    def __init__(self) -> None:
        self.on_answer: Callable[[], None] | None = None
        self.answered = 0
        self.codes: Counter[str] = Counter()
        self.latencies: list[float] = []
        self._messages: Sequence[Sent] = ()
        self._received = b""
        self._sent_at = 0.0
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it

    def connection_lost(self, error: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        if not received.endswith(_END):
            self._received = received
            return
        self._received = b""
        self.latencies.append(time.perf_counter() - self._sent_at)
        self.codes[answer_code(received, self._messages[self.answered].control_id)] += 1
        self.answered += 1
        if self.on_answer is not None:
            self.on_answer()
        self._next()

    def _next(self) -> None:
        if self.answered < len(self._messages):
            self._sent_at = time.perf_counter()
            self._transport.write(b"\x0b" + self._messages[self.answered].payload + _END)
        elif self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def send(self, messages: Sequence[Sent]) -> None:
        """Send and await all of them. Raises ConnectionError when the server goes away."""
        self._messages, self.answered = messages, 0
        self._done = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            raise ConnectionError("the server closed the connection")
        self._next()
        await self._done

    def close(self) -> None:
        self._transport.close()


def answer_code(frame: bytes, control_id: str) -> str:
    """MSA-1 of an answer to that message, "?" for anything else."""
    start = frame.find(b"\rMSA|") + 5
    code, _, rest = frame[start:].partition(b"|")
    named = rest[: len(control_id)] == control_id.encode() and rest[len(control_id) :][:1] in b"\r|\x1c"
    return code.decode("ascii", "replace") if start > 4 and named else "?"


async def connect(host: str, port: int) -> Lane:
    """Open one connection."""
    _, lane = await asyncio.get_running_loop().create_connection(Lane, host, port)
    return lane


async def run(plan: Plan) -> Outcome:
    """Send everything over as many connections as there are lanes."""
    connections = [await connect(plan.host, plan.port) for _ in plan.lanes]
    pairs = list(zip(connections, plan.lanes, strict=True))
    await asyncio.gather(*(lane.send(messages[: plan.warm]) for lane, messages in pairs))
    for lane in connections:
        lane.latencies.clear()
    start = time.perf_counter()
    await asyncio.gather(*(lane.send(messages[plan.warm :]) for lane, messages in pairs))
    seconds = time.perf_counter() - start
    latencies = sorted(latency for lane in connections for latency in lane.latencies)
    codes = sum((lane.codes for lane in connections), Counter[str]())
    for lane in connections:
        lane.close()
    count = len(latencies)
    return Outcome(count, seconds, quantile(latencies, 0.5), quantile(latencies, 0.99), latencies[-1], dict(codes))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def drive(host: str, port: int, lanes: Sequence[Sequence[Sent]], warm: int = 0) -> Outcome:
    """Run the load in a process of its own."""
    plan = msgspec.msgpack.encode(Plan(host, port, [list(lane) for lane in lanes], warm))
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, input=plan, capture_output=True, check=False, env=machine.environment())
    if done.returncode:
        raise RuntimeError(f"the load failed: {done.stderr.decode()[-2000:]}")
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


def main() -> None:
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.msgpack.encode(runner.run(run(plan))))


if __name__ == "__main__":
    main()
