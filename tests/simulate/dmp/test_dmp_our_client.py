"""The product's own client against the simulator: two programs that share no builder agree on every transaction."""

import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from msgspec.structs import replace

from insigne.dmp import lots
from insigne.dmp.client import DmpClient
from insigne.dmp.settings_wire import CallerSettings, ServiceSettings, SoftwareSettings
from insigne.dmp.wire.model import DmpFault, Ins
from insigne.documents.cda.build import write_cda
from insigne.ins.cog import bundled_cog
from insigne.net.settings import ClientTlsSettings
from insigne.registry.state import HeldIns, Identity
from insigne.registry.values import Authority, Details, Traits

from ...discharge_letter import described, kept

HOSPITAL = Authority("CHEX", "1.2.250.1.999.1", "ISO")
NATHALIE = Ins("277076322082910", "1.2.250.1.213.1.4.8")


def identity():
    """NESSI NATHALIE, as a registry that qualified her has her."""
    return Identity(
        id="01JPAT00000000000000000000",
        domain=HOSPITAL.key,
        version=1,
        created="2026-01-05T09:00:00Z",
        updated="2026-01-05T09:00:00Z",
        traits=Traits(
            birth_name="NESSI",
            first_given_name="NATHALIE",
            given_names="NATHALIE",
            birth_date="19770714",
            sex="F",
            birth_place="63220",
        ),
        details=Details(),
        ins=HeldIns(NATHALIE, since="2026-01-05"),
        checked=True,
    )


def cda(unique_id, *, replaces="", version=1, pdf=b"%PDF-1.4\n"):
    target = io.BytesIO()
    write_cda(
        io.BytesIO(pdf),
        target,
        identity(),
        described(unique_id, replaces=replaces, version=version),
        "production",
        bundled_cog(),
    )
    return target


@pytest.fixture
def settings(dmp, caller):
    clients = dmp.ready["clients"]
    return ServiceSettings(
        endpoint=dmp.ready["url"],
        tls=ClientTlsSettings(
            ca_file=dmp.ready["ca"],
            cert_file=clients["ORG_AUTH_CLI"]["cert"],
            key_file=clients["ORG_AUTH_CLI"]["key"],
        ),
        sign_cert_file=clients["ORG_SIGN"]["cert"],
        sign_key_file=clients["ORG_SIGN"]["key"],
        software=SoftwareSettings(oid="1.2.250.1.999.1.5", homologation="ESSAI-1"),
        caller=CallerSettings(structure="1750000001", structure_name="CH Exemple", person="810099999999", family="R"),
        total_seconds=20,
    )


@pytest.fixture
def client(settings):
    one = DmpClient(settings, lambda: datetime.now(UTC), lambda: str(uuid4()))
    yield one
    one.close()


@pytest.fixture
def prepared(settings, written):
    """Make what feeds a document, with its unique id."""

    def make(unique_id="", *, replaces="", entry="", **changes):
        name = unique_id or written.new_oid()
        return name, lots.feeding(
            kept(name, parent=replaces),
            cda(name, replaces=replaces, **changes),
            NATHALIE,
            settings,
            now=datetime.now(UTC),
            new_uuid=lambda: str(uuid4()),
            replaces=entry,
        )

    return make


def test_existence(client, caller, settings):
    who = lots.caller(settings, kept("1.2").sender)

    found = client.existence(NATHALIE, who)
    assert (found.code, found.open, found.authorised, found.in_mes, found.ins) == ("OK", True, True, True, (NATHALIE,))

    caller.control("PATCH", patients={"closed": [NATHALIE.matricule]})
    assert not client.existence(NATHALIE, who).open

    caller.control("PATCH", patients={"none": [NATHALIE.matricule]})
    assert not client.existence(NATHALIE, who).exists

    caller.control("PATCH", effects={"error": "XDSRegistryNotAvailable"})
    with pytest.raises(DmpFault) as fault:
        client.existence(NATHALIE, who)
    assert fault.value.code == "XDSRegistryNotAvailable"


def test_a_signing_certificate_renewed_is_used_without_a_restart(dmp, settings, tmp_path):
    cert, key = tmp_path / "sign.pem", tmp_path / "sign.key"

    stranger = trustme.CA().issue_cert(common_name="ORG_SIGN", key_type=trustme.KeyType.RSA)
    cert.write_bytes(stranger.cert_chain_pems[0].bytes())
    stranger.private_key_pem.write_to_path(str(key))
    own = replace(settings, sign_cert_file=str(cert), sign_key_file=str(key))
    client = DmpClient(own, lambda: datetime.now(UTC), lambda: str(uuid4()))
    who = lots.caller(own, kept("1.2").sender)
    with pytest.raises(DmpFault, match="FailedCheck"):
        client.existence(NATHALIE, who)
    for kind, target in (("cert", cert), ("key", key)):
        target.write_bytes(Path(dmp.ready["clients"]["ORG_SIGN"][kind]).read_bytes())
    assert client.existence(NATHALIE, who).exists
    client.close()


def test_feed_find_replace_and_delete(client, caller, patient, prepared, settings):
    name, first = prepared()
    answer = client.feed(first)
    assert answer.success, answer.errors

    (reference,) = client.find(name, NATHALIE, first.vihf)
    assert (reference.status, reference.unique_id, reference.ins) == ("approved", name, NATHALIE)
    assert reference.hash == first.lot.entry.hash.value
    assert [error.code for error in client.feed(prepared(name)[1]).errors] == ["XDSDuplicateUniqueIdInRegistry"]

    second, replacement = prepared(replaces=name, entry=reference.entry_uuid, version=2)
    answer = client.feed(replacement)
    assert answer.success, answer.errors
    assert [one["status"] for one in caller.documents(patient)] == ["deprecated", "approved"]

    (latest,) = client.find(second, NATHALIE, first.vihf)
    deletion = lots.deletion(
        kept(second), latest.entry_uuid, NATHALIE, settings, now=datetime.now(UTC), new_uuid=lambda: str(uuid4())
    )
    answer = client.delete(deletion)
    assert answer.success, answer.errors
    assert client.find(second, NATHALIE, first.vihf)[0].status == "deleted"


def test_a_large_document_is_streamed_from_one_to_the_other(client, caller, patient, prepared):
    name, feeding = prepared(pdf=b"%PDF-1.4\n" + b"0" * (6 << 20))

    answer = client.feed(feeding)

    assert answer.success, answer.errors
    assert caller.documents(patient)[0]["size"] == feeding.lot.entry.size.value > 8 << 20
    assert caller.documents(patient)[0]["unique_id"] == name


def test_an_answer_lost_after_the_work_is_found_by_reference(client, caller, prepared):
    name, feeding = prepared()
    caller.control("PATCH", effects={"unanswered": True, "transaction": "TD2.1"})

    with pytest.raises(DmpFault) as fault:
        client.feed(feeding)
    assert fault.value.kind == "unreachable"

    (found,) = client.find(name, NATHALIE, feeding.vihf)
    assert found.hash == feeding.lot.entry.hash.value


def test_faults_of_the_service_are_faults_of_the_client(client, caller, prepared):
    kinds = {"http": (503, "malformed"), "fault": ("DMPIndisponible", "soap"), "drop": (True, "unreachable")}
    for effect, (value, kind) in kinds.items():
        caller.control("PATCH", effects={effect: value})
        with pytest.raises(DmpFault) as fault:
            client.feed(prepared()[1])
        assert fault.value.kind == kind
