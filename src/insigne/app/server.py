"""The running service: listeners, folders and HTTP around one base, from the first signal to the last answer."""

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from insigne import __version__
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.server import HttpServer
from insigne.app.acts import acts_of
from insigne.app.alarms import AlarmWatch
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now, utc_now
from insigne.app.delivery import DeliveryWorker
from insigne.app.dmp import DmpWorker
from insigne.app.dmp_alarms import DocumentAlarms
from insigne.app.enrolment import enrolment_page
from insigne.app.housekeeping import Housekeeper
from insigne.app.insi import InsiWorker, insi_service
from insigne.app.intake import document_folders, documents_over_http
from insigne.app.metrics import metrics_of
from insigne.app.transports import mllp_settings, remote_folders
from insigne.app.watch import health_of
from insigne.config import LoadedConfig, store_url
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.elsewhere import Site
from insigne.exchange.groupcommit import GroupCommit
from insigne.ins.cog import bundled_cog
from insigne.insi.campaigns import CampaignPump
from insigne.pam.editions import EDITIONS, NEWEST
from insigne.pam.validate import warm
from insigne.store import SchemaMissing, upgrade
from insigne.store.lock import FolderLock
from insigne.store.opening import check_url, is_sqlite
from insigne.store.tokens import StoredTokens
from insigne.transport.folder import FolderIntake
from insigne.transport.front.front import Front, worthwhile
from insigne.transport.mllp_server import MllpServer
from insigne.web.enrolment import PREFIX

_log = structlog.get_logger("insigne.server")
#: How long a thread may keep the others waiting: what waits for an answer on a socket must not wait for a computation.
#: At the interpreter's own 5 ms, a destination served one message after the other gets 200 a second while intake works.
_SWITCH_SECONDS: Final = 0.001
#: So many messages come while a batch is taken in, even when nothing else is done.
_FEW_MESSAGES: Final = 4
_FRONT: Final = (sys.executable, "-P", "-m", "insigne.app.front")


async def serve(loaded: LoadedConfig, ready_file: Path | None = None) -> None:
    """Run the configured roles until SIGTERM or SIGINT, then drain and return.

    `ready_file` is written, atomically, when everything listens. Raises `store.WrongUrl` before anything is made,
    `store.lock.LockHeld` when another server works on the folder, `store.SchemaError` when the base has other tables,
    OSError when an address is taken, `net.tls.TlsError`.
    """
    check_url(store_url(loaded))
    sys.setswitchinterval(_SWITCH_SECONDS)
    loaded.data_dir.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stack.enter_context(FolderLock(loaded.data_dir))
        base = _opened(loaded)
        stack.callback(base.close)
        stopping = _stop_signals()
        service = Service(base, loaded)
        stack.push_async_callback(service.stop)
        addresses = await service.start()
        _collect_less_often()
        if ready_file is not None:
            write_ready(ready_file, addresses)
        _log.info("ready", version=__version__, roles=list(base.config.roles), **addresses)
        await stopping.wait()
        _log.info("stopping")


class Worker(Protocol):
    """What runs in a thread of its own beside the event loop."""

    def start(self) -> None:
        """Start working."""

    def stop(self) -> None:
        """End after what is in hand."""


class Service:
    """Everything that listens, in one event loop (HTTP has its own thread)."""

    def __init__(self, base: Base, loaded: LoadedConfig) -> None:
        config = base.config
        self._base = base
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="insigne-committer")
        self.receiver = GroupCommit(
            base.intake,
            config.exchange,
            clock=rfc3339_now,
            executor=self._committer,
            remote=not is_sqlite(store_url(loaded)),
        )
        self.mllp = _listener(base, self.receiver)
        self.folders = [FolderIntake(settings, self.receiver, clock=rfc3339_now) for settings in config.folders]
        self.remote_folders = remote_folders(config.remote_folders, self.receiver, rfc3339_now)
        self.document_folders = document_folders(base.store, base.documents) if base.documents is not None else []
        self.listening = False
        self.insi = _insi_worker(base)
        self.dmp = DmpWorker(base, base.documents.site, self._is_behind) if base.documents is not None else None
        self.housekeeper = Housekeeper(base)
        self.delivery = DeliveryWorker(base) if config.destinations else None
        self.alarms = self.delivery.alarms if self.delivery is not None else Alarms()
        documents = self.dmp.alarms if self.dmp is not None else DocumentAlarms({}, {}, (), timedelta())
        self.alarm_watch = AlarmWatch(
            base, self.alarms, lambda: self.delivery.channels if self.delivery else (), documents.look
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._started: list[Worker] = []
        enrolment = enrolment_page(base)
        deps = ApiDeps(
            reader=base.store.read,
            tokens=StoredTokens(base.store, refusals_a_minute=config.access.refused_tokens_per_minute),
            health=health_of(self, base),
            now=utc_now,
            started=utc_now(),
            version=__version__,
            cog=bundled_cog,
            public_url=config.http.public_url,
            metrics=metrics_of(self, base),
            guests={PREFIX: enrolment} if enrolment is not None else {},
            acts=acts_of(base),
            documents=documents_over_http(base.store, base.documents) if base.documents is not None else None,
        )
        self.http = HttpServer(create_app(deps), config.http)

    async def start(self) -> dict[str, str]:
        """Listen everywhere; the addresses, as the ready file names them."""
        http_host, http_port = self.http.start()
        await self.mllp.start()
        mllp_host, mllp_port = self.mllp.address
        self._begin(self.insi)
        self._begin(self.dmp)
        self._begin(self.housekeeper)
        self.alarm_watch.inherit()
        self._begin(self.delivery)
        self._begin(self.alarm_watch)
        self.listening = True
        # The first messages need not wait for what can be made before them.
        threading.Thread(target=warm, args=(EDITIONS[NEWEST],), name="insigne-warm", daemon=True).start()
        self._tasks = [asyncio.create_task(folder.run()) for folder in self.folders]
        self._tasks += [asyncio.create_task(folder.run()) for folder in self.remote_folders]
        self._tasks += [asyncio.create_task(folder.run()) for folder in self.document_folders]
        return {"mllp": f"{mllp_host}:{mllp_port}", "http": f"{http_host}:{http_port}"}

    def _is_behind(self) -> bool:
        """Whether more messages wait than the next commit is worth waiting for."""
        return self.receiver.waiting > _FEW_MESSAGES

    def _begin(self, worker: Worker | None) -> None:
        """Start a worker, and remember that it is to be stopped: a start may fail halfway."""
        if worker is not None:
            worker.start()
            self._started.append(worker)

    async def stop(self) -> None:
        """Take nothing more, answer what is in hand, stop."""
        self.listening = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.mllp.stop()
        await self._drain()
        for worker in self._started:
            await asyncio.to_thread(worker.stop)
        await asyncio.to_thread(self.http.stop)
        self._committer.shutdown()

    async def _drain(self) -> None:
        """Wait for the last commits, but not for ever: what is not committed was not acknowledged, and comes again."""
        limit = self._base.config.mllp.drain_seconds
        try:
            async with asyncio.timeout(limit):
                await self.receiver.drain()
        except TimeoutError:
            _log.warning("intake.drain-cut", waiting=self.receiver.waiting, seconds=limit)


def _collect_less_often() -> None:
    """Leave what the start made alone, and look for cycles less often.

    A batch of messages makes thousands of objects that live as long as it does; looking for cycles among them at each
    700th, Python's default, costs one part in fifteen of the processor and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _listener(base: Base, receiver: GroupCommit) -> MllpServer:
    """What receives over MLLP, with a second process unless the site wants none or the machine has one processor."""
    config, settings, front = base.config, mllp_settings(base.config), None
    if settings.second_process and worthwhile():
        site = Site(base.policy, config.exchange.processing_ids, config.senders)
        front = Front(settings, receiver, site, command=_FRONT)
    return MllpServer(settings, receiver, clock=rfc3339_now, elsewhere=front)


def _insi_worker(base: Base) -> InsiWorker | None:
    """The worker of the queue, when this process is a référentiel d'identités that may call INSi."""
    if "ri" not in base.config.roles or not base.config.insi.endpoint:
        return None
    return InsiWorker(insi_service(base, automatic=True), CampaignPump(base.store, new_id=base.new_id))


def _opened(loaded: LoadedConfig) -> Base:
    """The base; an empty one gets its tables.

    Upgrading an existing one is `insigne db upgrade`, an act of the operator.
    """
    try:
        return open_base(loaded)
    except SchemaMissing:
        upgrade(store_url(loaded))
        return open_base(loaded)


def _stop_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def write_ready(path: Path, addresses: dict[str, str]) -> None:
    """Write the ready file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps({"pid": os.getpid(), **addresses}), encoding="utf-8")
    temporary.replace(path)
