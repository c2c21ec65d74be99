"""Changes at a steady pace, whatever becomes of them: `python -m bench.diffusion_load`, a process of its own.

Each message has its moment in a timetable and goes then over a connection that is free; if none is, it waits, and the
wait counts. Moments are of the monotonic clock, which processes of one machine share.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec
import uvloop

from bench import load, machine
from bench.corpus import Sent

#: Pace of those who do not pace: everything as fast as connections are free.
FLAT_OUT = 0.0


class Plan(msgspec.Struct):
    """What the process of the load is asked: `rate` messages a second over so many connections."""

    host: str
    port: int
    sent: list[Sent]
    rate: float
    connections: int


class Told(msgspec.Struct):
    """By message, in the order of the plan: when it was due and when it was acknowledged; MSA-1 that were not AA."""

    due: list[float]
    acknowledged: list[float]
    wrong: list[str]


async def run(plan: Plan) -> Told:
    """Send everything at its moment."""
    lanes = [await load.connect(plan.host, plan.port) for _ in range(plan.connections)]
    start = time.monotonic() + 0.05
    told = Told([start + rank / plan.rate if plan.rate else start for rank in range(len(plan.sent))], [], [])
    told.acknowledged = [0.0] * len(plan.sent)
    ranks = iter(range(len(plan.sent)))

    async def work(lane: load.Lane) -> None:
        for rank in ranks:  # shared: each takes the next one
            await asyncio.sleep(told.due[rank] - time.monotonic())
            await lane.send((plan.sent[rank],))
            told.acknowledged[rank] = time.monotonic()

    await asyncio.gather(*map(work, lanes))
    told.wrong = [code for lane in lanes for code in lane.codes.elements() if code != "AA"]
    for lane in lanes:
        lane.close()
    return told


def start(host: str, port: int, sent: Sequence[Sent], rate: float, connections: int = 16) -> "Running":
    """Begin to send, in a process of its own."""
    return Running(Plan(host, port, list(sent), rate, connections))


class Running:
    """A load under way."""

    def __init__(self, plan: Plan) -> None:
        command = [sys.executable, "-m", "bench.diffusion_load"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=machine.environment())
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.msgpack.encode(plan))
        self._process.stdin.close()
        self._process.stdin = None

    def told(self) -> Told:
        """Wait for the end; what came of it. Raises RuntimeError when the load failed."""
        out, errors = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the load failed: {errors.decode()[-2000:]}")
        return msgspec.msgpack.decode(out, type=Told)


def main() -> None:
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.msgpack.encode(runner.run(run(plan))))


if __name__ == "__main__":
    main()
