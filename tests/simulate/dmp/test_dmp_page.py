"""The page of what DMPs contain, for a person with the token and for a program."""

import json

from insigne.simulate.dmp.mime import Content
from insigne.simulate.dmp.store import Stored

HTML = {"Accept": "text/html,application/xhtml+xml"}


def test_the_page_asks_for_a_certificate_or_the_token(call_as, caller, patient):
    caller.feed(patient)
    stranger = call_as("")

    for path in ("/patients", f"/patients/{patient.matricule}", "/control", "/patients?token=x", "/patients?token="):
        assert stranger.http("GET", path).status == 401
    assert stranger.http("GET", f"/patients?token={caller.ready['token']}").status == 200
    bearer = {"Authorization": f"Bearer {caller.ready['token']}"}
    assert stranger.http("GET", "/patients", headers=bearer).status == 200
    assert call_as("ORG_SIGN").http("GET", "/patients").status == 200


def test_a_program_reads_json(caller, patient):
    caller.feed(patient)

    everybody = json.loads(caller.http("GET", "/patients").body)
    one = json.loads(caller.http("GET", f"/patients/{patient.matricule}").body)

    name = f"{patient.oid}|{patient.matricule}"
    assert everybody == {"patients": [{"ins": name, "dmp": "open", "documents": 1}]}
    assert (one["ins"], one["dmp"], len(one["documents"])) == (name, "open", 1)
    assert "metadata" not in one["documents"][0]


def test_a_person_reads_a_page_in_french(caller, patient):
    lot = caller.feed(patient).lot

    listed = caller.http("GET", f"/patients?token={caller.ready['token']}", headers=HTML).body.decode()
    page = caller.http("GET", f"/patients/{patient.matricule}", headers=HTML)

    assert "NESSI NATHALIE" in listed
    assert f"%7C{patient.matricule}?token=" in listed
    text = page.body.decode()
    assert page.headers["Content-Type"].startswith("text/html")
    assert "en vigueur" in text
    assert "Lettre de sortie" in text
    assert lot.unique_id in text


def test_what_came_from_outside_is_escaped(dmp, caller, patient):
    nasty = "<script>alert('&')</script>"
    document = Stored(
        unique_id=nasty, entry_uuid="e", logical_id="e", person=patient.matricule[:13], patient="p", structure=nasty,
        status="approved", hash=nasty, size=1, mime="text/xml", title=nasty, type_code=nasty, class_code=nasty,
        confidentiality=nasty, created=nasty, submitted="", submission="1.2", replaces=nasty, received="r",
        changed="r", metadata=b"",
    )  # fmt: skip
    dmp.call(lambda: dmp.simulator.engine.store.add([(document, Content(b"x", 0, 1))], "1.2", (), "r"))

    page = caller.http("GET", f"/patients/{patient.matricule}?token=%22%3E%3Cscript%3E", headers=HTML).body.decode()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_nobody_is_not_found(caller):
    for path in (
        "/patients/nobody",
        "/patients/1.2.250.1.213.1.4.8%7C000",
        "/elsewhere",
        "/patients/nobody/documents/1",
    ):
        assert caller.http("GET", path).status == 404


def test_an_empty_dmp_says_so(caller, patient):
    assert "Aucun document" in caller.http("GET", "/patients", headers=HTML).body.decode()
    assert "Aucun document" in caller.http("GET", f"/patients/{patient.matricule}", headers=HTML).body.decode()
    assert caller.documents(patient) == []
