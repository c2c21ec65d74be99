"""Delivery, wired: what carries bytes to each destination, and the thread in which the dispatcher works."""

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
import uvloop

from insigne.app.base import Base
from insigne.app.clock import rfc3339_now
from insigne.app.webhooks import ChangeScribe
from insigne.config import DestinationSettings
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import Channel, Surroundings
from insigne.exchange.delivery.dispatcher import Dispatcher
from insigne.exchange.delivery.initial import InitialLoad
from insigne.exchange.delivery.model import Outgoing
from insigne.exchange.delivery.ports import OutboxTransaction, Sender
from insigne.exchange.delivery.recorder import Recorder
from insigne.exchange.delivery.scribe import Kept, Scribe, Shared, Writer, family
from insigne.exchange.delivery.undelivered import undelivered
from insigne.exchange.delivery.watch import QueueWatch
from insigne.ins.cog import bundled_cog
from insigne.registry.decision import Refused
from insigne.registry.source import Source
from insigne.transport.deposit import DepositSender
from insigne.transport.ftp import FtpFiles
from insigne.transport.local_files import LocalFiles
from insigne.transport.mllp_sender import mllp_sender
from insigne.transport.sftp import SftpFiles
from insigne.transport.webhook import WebhookSender

_log = structlog.get_logger("insigne.delivery")
AUTHOR = "insigne"


def sender_of(settings: DestinationSettings) -> Sender:
    """What carries bytes to a destination. Raises `net.tls.TlsError` for files that cannot be used, ValueError."""
    if settings.mllp is not None:
        return mllp_sender(settings.mllp)
    if settings.folder is not None:
        return DepositSender(settings.folder, LocalFiles())
    if settings.sftp is not None:
        return DepositSender(settings.sftp, SftpFiles(settings.sftp.server))
    if settings.ftp is not None:
        return DepositSender(settings.ftp, FtpFiles(settings.ftp.server))
    if settings.webhook is not None:
        return WebhookSender(settings.webhook, clock=time.time)
    raise ValueError(f"destination {settings.name}: no way to reach it")


class DeliveryWorker:
    """A thread with its own event loop, in which every destination is served, until told to stop."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self.alarms = Alarms()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._up = threading.Event()
        self._senders = {one.name: [sender_of(one) for _ in range(one.delivery.lanes)] for one in self._settings}
        self._dialects = {one.name: one.dialect for one in base.subscribers}
        self._shared: dict[bytes, Shared] = {}
        self.channels: tuple[Channel, ...] = ()
        self._thread = threading.Thread(target=self._run, name="insigne-delivery", daemon=True)

    @property
    def _settings(self) -> tuple[DestinationSettings, ...]:
        return self._base.config.destinations

    def start(self) -> None:
        """Start serving; what waits in the outbox goes first."""
        self._thread.start()
        self._up.wait()

    def stop(self) -> None:
        """End after what is being sent, and record it."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=60)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except Exception as error:  # a defect of ours: the health of the program says that nothing is sent
            _log.error("delivery.ended", error=type(error).__name__)
        finally:
            self._up.set()

    async def _serve(self) -> None:
        base = self._base
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        with ThreadPoolExecutor(1, "insigne-delivery-writer") as executor:
            recorder = Recorder(base.store, executor)
            dispatcher = Dispatcher(base.store, recorder)
            around = Surroundings(
                recorder=recorder,
                alarms=self.alarms,
                now=rfc3339_now,
                chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
                told=self._told,
                more=dispatcher.more,
            )
            self.channels = tuple(self._channel(one, around) for one in self._settings)
            base.bell.ring = dispatcher.wake
            self._up.set()
            loads = [
                InitialLoad(channel, subscriber, now=rfc3339_now)
                for channel, subscriber in zip(self.channels, base.subscribers, strict=True)
            ]
            watching = asyncio.create_task(QueueWatch(base.store, self.channels, self.alarms, now=rfc3339_now).run())
            await dispatcher.run(self.channels, loads, self._stopping)
            watching.cancel()

    def _channel(self, settings: DestinationSettings, around: Surroundings) -> Channel:
        return Channel(settings.name, settings.delivery, self._writer(settings), self._senders[settings.name], around)

    def _writer(self, settings: DestinationSettings) -> Writer:
        if settings.webhook is not None:
            return ChangeScribe(bundled_cog(), now=rfc3339_now, new_id=self._base.new_id)
        kin = family(settings.subscription)
        shared = self._shared.setdefault(kin, Shared()) if kin else None
        dialect, recent = self._dialects[settings.name], self._base.recent
        return Scribe(dialect, recent, shared, now=rfc3339_now, new_id=self._base.new_id)

    def _told(self, transaction: OutboxTransaction, row: Outgoing, kept: Kept) -> None:
        """Ask a person to act."""
        if not row.subject:
            return
        source = Source(rfc3339_now(), AUTHOR, "delivery", str(row.id))
        try:
            self._base.registrar.act_within(transaction, [(undelivered(row, kept), source)])
        except Refused as refusal:
            _log.warning("delivery.not-told", row=row.id, reason=refusal.text)
