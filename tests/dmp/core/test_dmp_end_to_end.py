"""Documents held, released and withdrawn against the simulated DMP, over HTTPS with client certificates."""

import io
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from uuid import uuid4

import msgspec
import pytest

from insigne.dmp.acts import confirm, withdraw
from insigne.dmp.client import DmpClient
from insigne.dmp.feeding import DmpCarrier
from insigne.dmp.leaving import Leaving
from insigne.dmp.lots import caller
from insigne.dmp.model import Intent
from insigne.dmp.ports import Declined
from insigne.dmp.service import DmpService
from insigne.dmp.settings_wire import CallerSettings, ServiceSettings, SoftwareSettings
from insigne.dmp.wire.model import DmpFault
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.description import Description, Event, Organization, Professional, Stay
from insigne.ins.cog import bundled_cog
from insigne.net.settings import ClientTlsSettings
from insigne.registry import events as ev
from insigne.registry.state import HeldIns
from insigne.registry.values import Details, Dmp, Ins, Traits
from insigne.simulate.dmp.running import running
from insigne.simulate.dmp.simulator import SimulatorSettings

from .dmp_world import HOSPITAL, pi, text_of

PARIS = timezone(timedelta(hours=1))
#: One of the official test people, of the simulator's base.
NATHALIE = "NATHALIE"
PEOPLE = {
    NATHALIE: (
        Traits("NESSI", NATHALIE, NATHALIE, "19770714", "F", "63220"),
        Ins("277076322082910", "1.2.250.1.213.1.4.8"),
    ),
}
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def dmp(tmp_path_factory):
    with running(SimulatorSettings(tmp_path_factory.mktemp("dmp"))) as started:
        yield started


@pytest.fixture
def site(dmp, make_world):
    """A world whose carrier is the real client, with Nathalie, provisional."""
    dmp.call(dmp.simulator.engine.store.clear)
    world = make_world()
    event = ev.IdentityCreated(
        domain=HOSPITAL.key,
        identifiers=(pi(NATHALIE),),
        traits=PEOPLE[NATHALIE][0],
        details=Details(dmp=Dmp(feeding="INO")),
        checked=True,
        attributes=(),
        reliability=(),
        trusted=True,
    )
    world.happen((NATHALIE, event))
    world.real = carrier(dmp, world)
    world.new_service = lambda: DmpService(
        world.store, world.site, {"dmp": world.real}, clock=lambda: world.moment, chance=Random(1)
    )
    world.service.close()
    world.service = world.new_service()
    return world


def carrier(dmp, world, existence_seconds=0.0):
    ready = dmp.ready
    settings = ServiceSettings(
        endpoint=ready["url"],
        tls=ClientTlsSettings(
            ca_file=ready["ca"],
            cert_file=ready["clients"]["ORG_AUTH_CLI"]["cert"],
            key_file=ready["clients"]["ORG_AUTH_CLI"]["key"],
        ),
        sign_cert_file=ready["clients"]["ORG_SIGN"]["cert"],
        sign_key_file=ready["clients"]["ORG_SIGN"]["key"],
        software=SoftwareSettings(oid="1.2.250.1.999.1.2"),
        caller=CallerSettings(
            structure="1750000001", structure_name="CH Exemple", person="899900000001", family="LAENNEC", given="RENE"
        ),
    )
    return DmpCarrier(
        DmpClient(settings, lambda: datetime.now(UTC), lambda: str(uuid4())),
        settings,
        Leaving("test", bundled_cog(), complete=True),
        existence_seconds=existence_seconds,
        clock=lambda: datetime.now(UTC),
        new_uuid=lambda: str(uuid4()),
    )


def description(unique_id, **changes):
    author = Professional(
        id="810012345678",
        family="LEROUX",
        given="Anne",
        profession="G15_10/SM26",
        profession_name="Médecin - Qualifié en médecine générale (SM)",
        organization=Organization(id="1750000001", name="CH Exemple"),
    )
    about = Description(
        code="11490-0",
        title="Lettre de liaison à la sortie",
        time=datetime(2026, 3, 2, 10, 15, tzinfo=PARIS),
        author=author,
        id=unique_id,
        event=Event(start=datetime(2026, 2, 25, 0, 30, tzinfo=PARIS), end=datetime(2026, 3, 2, 10, 0, tzinfo=PARIS)),
        stay=Stay(),
    )
    return msgspec.structs.replace(about, **changes)


def oid():
    return f"2.25.{uuid4().int}"


def built(site, unique_id, **fields):
    """Receive a PDF whose CDA is built here."""
    document, body = site.document(1, NATHALIE, content=PDF, unique_id=unique_id, set_id=unique_id, **fields)
    told = description(
        unique_id, **({"replaces": document.parent, "version": 2, "set_id": unique_id} if fields else {})
    )
    return site.receive(msgspec.structs.replace(document, description=msgspec.json.encode(told)), body)


def cda(site, unique_id, ins=None, **changes):
    """A CDA that another system made, with or without the INS."""
    identity = site.identity(NATHALIE)
    holder = msgspec.structs.replace(identity, ins=HeldIns(PEOPLE[NATHALIE][1], ""), checked=True)
    target = io.BytesIO()
    write_cda(io.BytesIO(PDF), target, holder, description(unique_id, **changes), "test", bundled_cog())
    text = target.getvalue()
    number = PEOPLE[NATHALIE][1]
    mark = f'<id root="{number.oid}" extension="{number.matricule}"/>'.encode()
    assert mark in text
    wanted = b"" if ins is None else f'<id root="{ins.oid}" extension="{ins.matricule}"/>'.encode()
    return text.replace(mark, wanted)


def taken(site, unique_id, text, **fields):
    document, body = site.document(1, NATHALIE, content=text, unique_id=unique_id, set_id=unique_id, **fields)
    content = msgspec.structs.replace(document.content, media="text/xml")
    return site.receive(msgspec.structs.replace(document, content=content), body)


def qualify(site):
    site.qualify(NATHALIE, PEOPLE[NATHALIE][1])
    site.settle()


def test_a_document_held_is_fed_once_its_patient_is_qualified(site):
    unique_id = oid()
    built(site, unique_id)
    site.settle()
    assert site.states() == [("feed", "waiting-ins", "ins-missing")]
    qualify(site)
    assert site.states() == [("feed", "fed", "fed")]
    assert status(site, unique_id) == "approved"


def test_a_cda_without_ins_is_given_the_registrys(site):
    unique_id = oid()
    taken(site, unique_id, cda(site, unique_id))
    qualify(site)
    assert site.states() == [("feed", "fed", "fed")], site.only().text
    assert status(site, unique_id) == "approved"


def test_a_cda_of_another_ins_is_refused_with_a_work_item(site):
    unique_id = oid()
    taken(site, unique_id, cda(site, unique_id, Ins("255069999999934", "1.2.250.1.213.1.4.8")))
    qualify(site)
    assert (site.only().state, site.only().code) == ("refused", "904")
    assert site.open_items() == [("document-refused", "904")]
    assert status(site, unique_id) is None


def test_a_document_fed_is_replaced_then_withdrawn(site):
    first, second = oid(), oid()
    qualify(site)
    built(site, first)
    site.settle()
    built(site, second, intent=Intent.REPLACE, parent=first)
    site.settle()
    assert site.states() == [("feed", "replaced", "replaced"), ("replace", "fed", "fed")], site.sendings()[-1].text
    assert (status(site, first), status(site, second)) == ("deprecated", "approved")
    site.act(withdraw, site.sendings()[-1].id)
    site.settle()
    assert site.states()[-1] == ("delete", "deleted", "deleted")
    assert status(site, second) == "deleted"


def test_what_was_fed_under_a_lost_ins_is_deleted_under_it(site):
    unique_id = oid()
    qualify(site)
    built(site, unique_id)
    site.settle()
    site.downgrade(NATHALIE)
    site.settle()
    deletion = site.only(action="delete")
    assert (deletion.state, deletion.ins) == ("to-confirm", text_of(PEOPLE[NATHALIE][1]))
    site.act(confirm, deletion.id)
    site.settle()
    assert site.only(action="delete").state == "deleted"
    assert status(site, unique_id) == "deleted"


def test_an_answer_that_never_came_is_found_again_and_counts_once(site, monkeypatch):
    unique_id = oid()
    qualify(site)
    built(site, unique_id)
    feed = site.real._client.feed

    def fed_then_cut(feeding):
        feed(feeding)
        raise DmpFault("timeout", text="cut")

    monkeypatch.setattr(site.real._client, "feed", fed_then_cut)
    site.drain()
    assert site.only().state == "ready"
    assert site.only().ins
    monkeypatch.undo()
    site.settle()
    assert site.states() == [("feed", "fed", "fed")]
    assert site.only().text == "it was there already"


def test_what_no_connection_was_there_to_send_may_still_be_withdrawn_and_is_nowhere(site, monkeypatch):
    qualify(site)
    built(site, oid())
    monkeypatch.setattr(site.real._client, "feed", lambda _: unreachable())
    site.drain()
    waiting = site.only()
    assert (waiting.state, waiting.ins) == ("ready", "")
    site.downgrade(NATHALIE)
    site.drain()
    assert site.states() == [("feed", "waiting-ins", "ins-missing")]
    assert site.act(withdraw, waiting.id).state == "cancelled"


def unreachable():
    raise DmpFault("unreachable", text="no connection", sent=False)


def test_a_replacement_that_comes_before_its_version_goes_after_it(site):
    first, second = oid(), oid()
    qualify(site)
    built(site, second, intent=Intent.REPLACE, parent=first)
    site.settle()
    assert site.states() == [("replace", "refused", "predecessor-unknown")]
    built(site, first)
    site.settle()
    assert site.states() == [("replace", "fed", "fed"), ("feed", "replaced", "replaced")], site.sendings()[0].text
    assert (status(site, first), status(site, second)) == ("deprecated", "approved")


@pytest.mark.parametrize("form", ["PDF", "CDA", "CDA without INS"])
def test_a_replacement_of_what_was_refused_goes_as_a_first_version(site, form):
    first, second = oid(), oid()
    qualify(site)
    taken(site, first, cda(site, first, Ins("255069999999934", "1.2.250.1.213.1.4.8")))
    site.settle()
    assert site.only().state == "refused"
    versions = {"intent": Intent.REPLACE, "parent": first}
    if form == "PDF":
        built(site, second, **versions)
    else:
        ins = PEOPLE[NATHALIE][1] if form == "CDA" else None
        taken(site, second, cda(site, second, ins, replaces=first, version=2, set_id=first), **versions)
    site.settle()
    assert site.states()[1:] == [("replace", "fed", "fed")], site.sendings()[-1].text
    assert status(site, second) == "approved"


@pytest.mark.parametrize("arrived", [True, False])
def test_what_may_have_arrived_is_replaced_if_it_is_there_and_fed_as_a_first_version_if_not(site, monkeypatch, arrived):
    first, second = oid(), oid()
    qualify(site)
    built(site, first)
    feed = site.real._client.feed

    def cut(feeding):
        if arrived:
            feed(feeding)
        raise DmpFault("timeout", text="cut")

    monkeypatch.setattr(site.real._client, "feed", cut)
    site.drain()
    refused = Declined("XDSRegistryError", "refused")
    monkeypatch.setattr(site.real, "carry", lambda errand: refused)
    site.settle()
    monkeypatch.undo()
    assert site.only().state == "refused"
    built(site, second, intent=Intent.REPLACE, parent=first)
    site.settle()
    assert site.states() == [("feed", "replaced", "replaced"), ("replace", "fed", "fed")], site.sendings()[-1].text
    assert (status(site, first), status(site, second)) == ("deprecated" if arrived else None, "approved")


def status(site, unique_id):
    """What the DMP's own search says of the document."""
    ins = PEOPLE[NATHALIE][1]
    document, _ = site.document(9, NATHALIE)
    found = site.real._client.find(unique_id, ins, caller(site.real._settings, document.sender))
    return found[0].status if found else None
