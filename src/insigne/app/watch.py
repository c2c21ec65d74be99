"""What an operator is told of the running service: is it well, and what to do if not. Numbers are in `metrics`."""

from collections.abc import Iterator
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
from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.app.delivery import DeliveryWorker
from insigne.app.dmp import DmpWorker
from insigne.app.insi import InsiWorker
from insigne.config import Config
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
    for name, file, password_file in _certificates(service, base.config):
        probes[name] = certificate_probe(name, file, utc_now, password_file=password_file)
    for folder in service.remote_folders:
        name = f"remote-folder {folder.name}"
        probes[name] = _fetching(name, folder)
    probes["mllp"] = alive_probe("mllp", lambda: service.listening)
    return Health(probes)


def _certificates(service: Watched, config: Config) -> Iterator[tuple[str, str, str]]:
    """Our certificates that are in use: the name of the check, the file, that of the password of a PKCS#12 file."""
    for name, listener in (("mllp", config.mllp.tls), ("http", config.http.tls)):
        if listener is not None:
            yield f"{name}-certificate", listener.cert_file, listener.key_password_file
    clients: dict[str, tuple[str, str]] = {}
    if service.insi is not None:
        clients["insi"] = config.insi.tls.cert_file, config.insi.tls.key_password_file
    if service.dmp is not None:
        dmp, mss = config.dmp.service, config.dmp.mss
        clients["dmp"] = dmp.tls.cert_file, dmp.tls.key_password_file
        clients["dmp-signature"] = dmp.sign_cert_file, dmp.sign_key_password_file
        clients["mss"] = mss.smtp.tls.cert_file, mss.smtp.tls.key_password_file
        clients |= {
            f"mss-{box.name}": (box.imap.tls.cert_file, box.imap.tls.key_password_file) for box in mss.mailboxes
        }
    for name, (file, password_file) in clients.items():
        if file:
            yield f"{name}-certificate", file, password_file


def _fetching(name: str, folder: RemoteFolderIntake) -> Probe:
    """A folder of a server is looked at: an outage there is not ours, and is to be known."""

    def probe() -> Check:
        return Check(name, Status.DEGRADED if folder.trouble else Status.OK, folder.trouble)

    return probe
