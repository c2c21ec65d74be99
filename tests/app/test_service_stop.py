"""The service stops within the time it is given, whatever the base does."""

import asyncio
import time

import pytest
from structlog.testing import CapturingLogger

from insigne.app.base import open_base
from insigne.app.server import Service, serve
from insigne.config import load
from insigne.exchange.model import Peer, Received
from insigne.store import WrongUrl, open_store, upgrade

SETTINGS = ("mllp.port=0", "http.port=0", "mllp.drain_seconds=0.2", "exchange.lock_wait_seconds=60")


def test_a_base_that_somebody_else_holds_does_not_keep_the_service_from_stopping(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'insigne.db'}"
    upgrade(url)
    loaded = load(None, SETTINGS, {}, tmp_path)
    other = open_store(url)

    async def stop_while_a_message_waits():
        base = open_base(loaded)
        service = Service(base, loaded)
        await service.start()
        service.receiver.submit_nowait(Received(b"MSH|", Peer("a", "mllp"), "2026-03-01T08:00:00.000Z"), lambda _: None)
        started = time.monotonic()
        await service.stop()
        base.close()
        return time.monotonic() - started

    logs = CapturingLogger()
    monkeypatch.setattr("insigne.app.server._log", logs)
    with other.begin():
        seconds = asyncio.run(stop_while_a_message_waits())
    other.close()
    assert seconds < 30
    assert [(call.args, call.kwargs) for call in logs.calls] == [
        (("intake.drain-cut",), {"waiting": 1, "seconds": 0.2})
    ]


@pytest.mark.parametrize("url", ["mysql://host/base", "sqlite://insigne.db"])
def test_an_address_no_base_can_have_leaves_no_folder_behind(tmp_path, url):
    loaded = load(None, (f"store.url={url}",), {}, tmp_path / "data")
    with pytest.raises(WrongUrl, match=r"store\.url"):
        asyncio.run(serve(loaded))
    assert not (tmp_path / "data").exists()
