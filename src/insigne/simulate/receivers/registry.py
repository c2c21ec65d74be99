"""The registry of a receiver: what it was sent, applied by the rules of the product, in a base of its own."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from insigne.exchange.adt import AdtHandler
from insigne.exchange.groupcommit import GroupCommit
from insigne.exchange.ids import TimeOrderedIds
from insigne.exchange.intake import Intake
from insigne.exchange.model import Peer, Received
from insigne.exchange.settings import ExchangeSettings, SenderSettings
from insigne.registry.settings import Policy
from insigne.store import Store, open_store, upgrade


def now_text() -> str:
    """The present, RFC 3339 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OwnRegistry:
    """A base in a folder, made if need be. Lives in the event loop it is made in."""

    def __init__(self, folder: Path, policy: Policy | None = None, sender: SenderSettings | None = None) -> None:
        """`policy`: that of a site that trusts its one sender, by default. `sender`: how that sender is read."""
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{(folder / 'receiver.db').resolve()}"
        upgrade(url)
        self.store: Store = open_store(url)
        new_id = TimeOrderedIds(lambda: time.time_ns() // 1_000_000, os.urandom(4))
        handler = AdtHandler(policy or Policy(), ("P", "T", "D"), new_id)
        settings = ExchangeSettings()
        intake = Intake(
            self.store,
            {"ADT": handler},
            (sender,) if sender is not None else (),
            settings,
            clock=lambda: datetime.now(UTC),
            new_id=new_id,
        )
        self._group = GroupCommit(intake, settings, clock=now_text)

    async def take(self, raw: bytes, peer: Peer) -> bytes:
        """Apply a message; its acknowledgement, once what it says is durable."""
        answer = await self._group.submit(Received(raw, peer, now_text()))
        return answer.payload

    async def close(self) -> None:
        """Finish what is in hand and close the base."""
        await self._group.drain()
        self.store.close()
