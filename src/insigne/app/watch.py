"""What an operator is told of the running service: is it well, and what to do if not. Numbers are in `metrics`."""

from typing import Protocol

from insigne.api.health import (
    Check,
    Health,
    Probe,
    Status,
    alarm_probe,
    alive_probe,
    backlog_probe,
    certificate_probe,
    disk_probe,
    store_probe,
)
from insigne.app.base import Base, utc_now
from insigne.app.delivery import DeliveryWorker
from insigne.app.dmp import DmpWorker
from insigne.app.insi import InsiWorker
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.groupcommit import GroupCommit
from insigne.transport.mllp_server import MllpServer
from insigne.transport.remote_folder import RemoteFolderIntake


class Watched(Protocol):
    """The running service, as far as it is watched."""

    receiver: GroupCommit
    mllp: MllpServer
    listening: bool
    insi: InsiWorker | None
    dmp: DmpWorker | None
    delivery: DeliveryWorker | None
    alarms: Alarms
    remote_folders: list[RemoteFolderIntake]


def health_of(service: Watched, base: Base) -> Health:
    """The checks of `/health/ready`."""
    probes: dict[str, Probe] = {
        "store": store_probe(base.store.read),
        "disk": disk_probe(base.data_dir),
        "intake": backlog_probe("intake", lambda: service.receiver.waiting, many=base.config.exchange.queue // 2),
    }
    probes["alarms"] = alarm_probe(service.alarms.on)
    if base.config.mllp.tls is not None:
        tls = base.config.mllp.tls
        probes["mllp-certificate"] = certificate_probe("mllp-certificate", tls.cert_file, utc_now)
    if base.config.http.tls is not None:
        probes["http-certificate"] = certificate_probe("http-certificate", base.config.http.tls.cert_file, utc_now)
    for folder in service.remote_folders:
        name = f"remote-folder {folder.name}"
        probes[name] = _fetching(name, folder)
    probes["mllp"] = alive_probe("mllp", lambda: service.listening)
    return Health(probes)


def _fetching(name: str, folder: RemoteFolderIntake) -> Probe:
    """A folder of a server is looked at: an outage there is not ours, and is to be known."""

    def probe() -> Check:
        return Check(name, Status.DEGRADED if folder.trouble else Status.OK, folder.trouble)

    return probe
