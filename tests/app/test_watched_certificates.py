"""Certificates in use that near their end are told by `/health/ready`, those of the DMP and of MSSanté too."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import trustme

from insigne.app.base import open_base
from insigne.app.watch import health_of
from insigne.config import load
from insigne.exchange.delivery.alarms import Alarms
from insigne.store import upgrade

CONFIG = """
environment = "test"
roles = ["consumer", "pfi"]
[dmp.service]
sign_cert_file = "{folder}/ending.pem"
sign_key_file = "{folder}/ending.pem"
[dmp.service.tls]
cert_file = "{folder}/lasting.pem"
[dmp.mss.smtp.tls]
cert_file = "{folder}/lasting.pem"
[[dmp.mss.mailboxes]]
name = "pfi"
imap = {{ host = "imap.example", tls = {{ cert_file = "{folder}/absent.pem" }} }}
"""


@pytest.fixture
def base(tmp_path):
    authority = trustme.CA()
    for name, days in (("ending", 10), ("lasting", 300)):
        made = authority.issue_cert(f"{name}.example", not_after=datetime.now(UTC) + timedelta(days=days))
        made.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    file = tmp_path / "insigne.toml"
    file.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(load(file, (), {}, tmp_path), wait=5.0)
    yield base
    base.close()


def test_the_certificates_of_the_dmp_and_of_mssante_are_watched(base):
    service = SimpleNamespace(
        receiver=SimpleNamespace(waiting=0), alarms=Alarms(), remote_folders=[], listening=True, insi=None, dmp=object()
    )
    ready, document = health_of(service, base).report()
    found = {one["name"]: one["status"] for one in document["checks"] if one["name"].endswith("-certificate")}
    assert found == {
        "dmp-certificate": "ok",
        "dmp-signature-certificate": "degraded",
        "mss-certificate": "ok",
        "mss-pfi-certificate": "degraded",
    }
    assert ready, "an operator is told; documents still leave"
