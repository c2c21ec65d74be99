"""A feed sent over several connections that goes on where it was after each death of the server.

What was not acknowledged is sent again with the same control id, as a sender does.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench import content, load, server
from bench.corpus import Sent

NEVER = 0


@dataclass
class Feed:
    """The lanes, how far each is acknowledged, and what went wrong."""

    lanes: list[list[Sent]]
    positions: list[int] = field(init=False)
    acknowledged: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.positions = [0] * len(self.lanes)

    def answered(self) -> list[Sent]:
        """What is acknowledged."""
        return [sent for lane, position in zip(self.lanes, self.positions, strict=True) for sent in lane[:position]]

    def in_flight(self) -> list[Sent]:
        """The next message of each lane: sent when the server was killed, not acknowledged."""
        pairs = zip(self.lanes, self.positions, strict=True)
        return [lane[position] for lane, position in pairs if 0 < position < len(lane)]

    def cut(self) -> None:
        """Leave out what comes after the next message of each lane."""
        pairs = zip(self.lanes, self.positions, strict=True)
        self.lanes = [lane[: position + 1] for lane, position in pairs]

    async def go_on(
        self,
        process: server.Server,
        enough: int = NEVER,
        moment: float = 0.0,
        kill: Callable[[], None] | None = None,
        most: int | None = None,
    ) -> None:
        """Send on, at most `most` messages a lane; `moment` seconds after `enough` acknowledgements, kill.

        What is killed is the server, unless told otherwise; the load ends when the server does.
        """
        connections = [await load.connect(process.host, process.port) for _ in self.lanes]
        rest = [lane[position:][:most] for lane, position in zip(self.lanes, self.positions, strict=True)]
        loop, countdown = asyncio.get_running_loop(), count(enough - 1, -1)

        def answered() -> None:
            if next(countdown) == 0:
                loop.call_later(moment, kill or process.kill)

        for lane in connections:
            lane.on_answer = answered
        pairs = zip(connections, rest, strict=True)
        await asyncio.gather(*(lane.send(messages) for lane, messages in pairs), return_exceptions=True)
        for rank, (lane, messages) in enumerate(zip(connections, rest, strict=True)):
            self.positions[rank] += lane.answered
            self.acknowledged.update(sent.control_id for sent in messages[: lane.answered])
            if set(lane.codes) - {"AA"}:
                self.problems.append(f"answers other than AA: {dict(lane.codes)}")
            lane.close()

    def check_log(self, base: Path) -> int:
        """Every message acknowledged is accepted once, with its bytes; of the others, at most once.

        Returns how many the base holds of those in flight.
        """
        if not base.exists():
            return 0
        accepted: dict[str, list[bytes]] = {}
        for control_id, disposition, raw in content.log(base):
            if disposition == "accepted":
                accepted.setdefault(control_id, []).append(raw)
        lost = [sent for sent in self.answered() if accepted.get(sent.control_id) != [sent.payload]]
        twice = [control_id for control_id, found in accepted.items() if len(found) > 1]
        if lost:
            self.problems.append(f"{len(lost)} acknowledged messages are not in the base once, with their bytes")
        if twice:
            self.problems.append(f"{len(twice)} messages were accepted twice")
        return sum(sent.control_id in accepted for sent in self.in_flight())
