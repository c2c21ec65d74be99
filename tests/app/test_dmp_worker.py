"""The PFI as the server runs it: from the configuration to a document in the simulated DMP, and its acknowledgement."""

import hashlib
import json
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import msgspec
import pytest

from insigne.app import dmp as wired
from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.app.dmp import DmpWorker
from insigne.app.dmp_metrics import document_metrics
from insigne.config import ConfigError, load
from insigne.dmp.model import Content, Document, Flags, Intent
from insigne.dmp.reception import receive
from insigne.documents.cda.description import Description, Event, Organization, Professional
from insigne.registry.commands import Patient, RecordPatient, TraitsAssertion
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Ins
from insigne.simulate.dmp.running import running
from insigne.simulate.dmp.simulator import SimulatorSettings
from insigne.store import upgrade

GAM = Authority("GAM", "1.2.250.1.999.1", "ISO")
#: One of the official test people, of the simulator's base.
INS = Ins("277076322082910", "1.2.250.1.213.1.4.8")
TRAITS = TraitsAssertion("NESSI", "NATHALIE", "NATHALIE", "19770714", "F", "63220")
PDF = b"%PDF-1.4 letter"
PARIS = timezone(timedelta(hours=1))
CONFIG = """
environment = "test"
roles = ["consumer", "pfi"]
[[destinations]]
name = "RETOUR"
folder = {{ path = "{folder}" }}
[dmp]
without_consent = "feed"
answers = {{ "DPI|CHU" = "RETOUR" }}
[dmp.service]
endpoint = "{url}"
sign_cert_file = "{sign[cert]}"
sign_key_file = "{sign[key]}"
[dmp.service.software]
oid = "1.2.250.1.999.1.2"
[dmp.service.caller]
structure = "1750000001"
structure_name = "CH Exemple"
person = "899900000001"
family = "LAENNEC"
given = "RENE"
[dmp.service.tls]
ca_file = "{ca}"
cert_file = "{auth[cert]}"
key_file = "{auth[key]}"
"""


@pytest.fixture(scope="module")
def dmp(tmp_path_factory):
    with running(SimulatorSettings(tmp_path_factory.mktemp("dmp"))) as started:
        yield started


@pytest.fixture
def base(dmp, tmp_path):
    ready = dmp.ready
    clients = ready["clients"]
    file = tmp_path / "insigne.toml"
    (tmp_path / "out").mkdir()
    text = CONFIG.format(
        folder=tmp_path / "out",
        url=ready["url"],
        ca=ready["ca"],
        sign=clients["ORG_SIGN"],
        auth=clients["ORG_AUTH_CLI"],
    )
    file.write_text(text, encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(load(file, (), {}, tmp_path), wait=5.0)
    yield base
    base.close()


def said(base, *status, ins=()):
    """The référentiel d'identités says who patient 4071 is; their identity."""
    patient = Patient(identifiers=(Identifier("PI", GAM, "4071"),), ins=ins, reliability=status, traits=TRAITS)
    source = Source(rfc3339_now(), "gam", "message", "M")
    return base.registrar.apply(RecordPatient(patient), source).subject


def received(base, identity):
    unique_id = f"2.25.{uuid4().int}"
    author = Professional(id="810012345678", family="LEROUX", organization=Organization(id="1750000001", name="CHU"))
    told = Description(
        code="11490-0",
        title="Lettre de liaison",
        time=datetime(2026, 3, 2, 10, 15, tzinfo=PARIS),
        author=author,
        id=unique_id,
        event=Event(start=datetime(2026, 2, 25, 8, 0, tzinfo=PARIS)),
    )
    document = Document(
        id=base.new_id(),
        received=rfc3339_now(),
        source="mllp:DPI",
        message="M1",
        control_id="C1",
        sending="DPI|CHU",
        intent=Intent.INITIAL,
        unique_id=unique_id,
        set_id=unique_id,
        version=1,
        parent="",
        type_code="11490-0",
        title="Lettre de liaison",
        confidentiality="N",
        created="2026-03-02T09:15:00.000Z",
        identity=identity,
        patient=msgspec.json.encode((Identifier("PI", GAM, "4071"),)),
        content=Content(hashlib.sha256(PDF).hexdigest(), len(PDF), "application/pdf"),
        description=msgspec.json.encode(told),
        flags=Flags(ack_reception=True),
    )
    with base.store.begin() as transaction:
        [sending] = receive(transaction, document, [PDF], transaction.identity(identity), base.documents.site)
        transaction.commit()
    return sending


def test_a_document_held_leaves_once_the_feed_says_the_patient_is_qualified(base):
    identity = said(base, "PROV")
    sending = received(base, identity)
    worker = DmpWorker(base, base.documents.site)
    assert worker.service.work() == 0
    assert (sending.state, sending.reason) == ("waiting-ins", "ins-missing")
    said(base, "VALI", ins=(INS,))
    while worker.service.work():
        pass
    with base.store.read() as view:
        fed = view.sending(sending.id)
        [row] = [one for one in view.outbox() if one.kind == "answer"]
        zam = view.outgoing_bytes(row.control_id).raw.decode()
    assert (fed.state, fed.text) == ("fed", "")
    assert (row.kind, row.destination, row.event) == ("answer", "RETOUR", "ZAM^Z01")
    assert "C1" in zam
    measures = {metric.name: metric for metric in document_metrics(worker.service, base)}
    states = {sample.labels["state"]: sample.value for sample in measures["insigne_documents"].samples}
    assert (states["fed"], states["waiting-ins"]) == (1, 0)
    assert measures["insigne_documents_calls"].samples[0].value == 1
    worker.start()
    worker.stop()


@pytest.mark.parametrize("passes", [True, False], ids=["messages that pass", "messages that never end"])
def test_documents_let_messages_pass_first_and_go_on_even_if_these_never_end(base, monkeypatch, passes):
    looks = []

    def busy() -> bool:
        looks.append(True)
        return not passes or len(looks) < 3

    monkeypatch.setattr(wired, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(wired, "_LONGEST_WAY", 60.0 if passes else 0.01)
    sending = received(base, said(base, "PROV"))
    said(base, "VALI", ins=(INS,))
    worker = DmpWorker(base, base.documents.site, busy)
    while worker._work():
        pass
    worker.start()
    worker.stop()
    with base.store.read() as view:
        assert view.sending(sending.id).state == "fed"
    assert len(looks) > 3


def test_answers_that_would_go_nowhere_are_refused(tmp_path):
    file = tmp_path / "insigne.toml"
    file.write_text(f"[dmp.answers]\n{json.dumps('DPI|CHU')} = {json.dumps('LOST')}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"dmp\.answers: there is no destination named LOST"):
        load(file, (), {}, tmp_path)


def test_a_process_that_is_no_pfi_still_asks_that_documents_be_looked_at(base, tmp_path):
    sending = received(base, said(base, "PROV"))
    other = open_base(load(None, ("environment=test", 'roles=["ri"]'), {}, tmp_path), wait=5.0)
    said(other, "VALI", ins=(INS,))
    with base.store.read() as view:
        assert view.reviews_waiting()[0] == 1
        assert view.sending(sending.id).state == "waiting-ins"
    other.close()
