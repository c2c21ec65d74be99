"""Documents that no message brings."""

import json

import pytest
from msgspec.structs import replace

from insigne.app.intake import direct_intake
from insigne.dmp.intake.body import collect
from insigne.dmp.intake.codes import IntakeRefused
from insigne.dmp.intake.direct import Submission
from insigne.dmp.intake.ticket import read_ticket
from insigne.dmp.model import Intent
from insigne.store.purge import purge

V1, V2 = "1.2.250.1.999.7.1", "1.2.250.1.999.7.2"
PDF = b"%PDF-1.4\n" + bytes(range(256))
LETTER = """
identity = "HOSP|4071"
code = "11490-0"
title = "Lettre de liaison"
time = 2026-03-02T10:15:00+01:00
id = "1.2.250.1.999.7.1"
author = { id = "801234500017", family = "LEROUX", organization = { id = "1140000019", name = "CH" } }

[sending]
recipients = ["anne.leroux@exemple.mssante.fr"]
flags = { to_dmp = true, to_professionals = true }
"""


@pytest.fixture
def submit(pfi):
    """Submit a document with its description; what was taken."""
    intake = direct_intake(pfi.store, pfi.rules)

    def submit_(body, ticket, name="letter.toml"):
        text = ticket if isinstance(ticket, str) else json.dumps(ticket)
        read = read_ticket(name if isinstance(ticket, str) else "letter.json", text.encode())
        return intake.submit(Submission("cli", read, collect([body], 10_000_000) if body else None))

    return submit_


def refusal(submit, *asked):
    with pytest.raises(IntakeRefused) as refused:
        submit(*asked)
    return refused.value.code


def test_a_pdf_is_kept_with_its_description(pfi, submit):
    taken = submit(PDF, LETTER)
    [document] = pfi.documents()
    assert (document.id, document.unique_id, document.identity) == (taken.document, V1, pfi.identity("4071").id)
    assert document.content.media == "application/pdf"
    assert json.loads(document.description)["code"] == "11490-0"
    assert document.sender.structure_id == "1140000019"
    assert pfi.content(document) == PDF
    assert [one.channel for one in taken.sendings] == ["dmp", "mss-ps"]


def test_a_pdf_without_id_is_given_the_same_one_each_time_it_comes(pfi, submit):
    nameless = LETTER.replace(f'id = "{V1}"\n', "")
    first, again = submit(PDF, nameless), submit(PDF, nameless)
    [document] = pfi.documents()
    assert first.document == again.document == document.id
    assert first.unique_id == again.unique_id == document.unique_id == json.loads(document.description)["id"]
    assert document.unique_id.startswith("2.25.")
    assert submit(PDF + b"other", nameless).unique_id != first.unique_id


def test_a_pdf_that_comes_again_after_a_purge_erased_it_is_the_same_document(pfi, submit):
    taken = submit(PDF, LETTER)
    with pfi.store.begin() as transaction:
        for one in taken.sendings:
            transaction.put_sending(replace(one, state="fed", reason="fed", ended="2026-03-02T09:00:00.000Z"))
        transaction.commit()
    later = "2036-03-02T09:00:00.000Z"
    assert purge(pfi.store, "claire", documents_before=later, now=lambda: later)["documents"] == 1
    again = submit(PDF, LETTER)
    assert (again.document, [one.state for one in again.sendings]) == (taken.document, ["fed", "fed"])
    assert len(pfi.documents()) == 1
    assert refusal(submit, PDF + b"other", LETTER) == "900"


def test_a_cda_alone_goes_to_the_dmp(pfi, submit):
    taken = submit(pfi.cda(), {"identity": "HOSP|4071"})
    assert taken.unique_id == V1
    assert [(one.channel, one.action) for one in taken.sendings] == [("dmp", "feed")]


def test_a_cda_that_replaces_another_is_a_replacement(pfi, submit):
    submit(pfi.cda(), {"identity": "HOSP|4071"})
    submit(pfi.cda(V2, version=2, replaces=V1), {"identity": "HOSP|4071"})
    assert [(one.intent, one.parent) for one in pfi.documents()] == [(Intent.INITIAL, ""), (Intent.REPLACE, V1)]


def test_a_deletion_comes_without_a_document(pfi, submit):
    submit(pfi.cda(), {"identity": "HOSP|4071"})
    submit(b"", {"identity": "HOSP|4071", "sending": {"intent": "delete", "unique_id": V1}})
    document = pfi.documents()[-1]
    assert (document.intent, document.parent, document.content) == (Intent.DELETE, V1, None)


@pytest.mark.parametrize("by_id", [False, True], ids=["by number", "by id"])
def test_a_document_keeps_the_number_of_a_patient_merged_before_it_came(pfi, submit, forms, by_id):
    """If the merge is undone, the document goes back to that patient, not to the other one."""
    absorbed = pfi.identity("4072").id
    lines = [
        pfi.header("ADT^A40^ADT_A39", "2.5^FRA^2.11"),
        "EVN||20260302080000",
        f"PID|||4071^^^{forms.OURS}^PI||{forms.PEOPLE['4071']['name']}||19850214|F",
        f"MRG|4072^^^{forms.OURS}^PI",
    ]
    [ack] = pfi.post("".join(f"{line}\r" for line in lines))
    assert ack.code == "AA"
    submit(PDF, LETTER.replace("HOSP|4071", absorbed if by_id else "HOSP|4072"))
    [document] = pfi.documents()
    assert document.identity == pfi.identity("4071").id
    assert [one["value"] for one in json.loads(document.patient)] == ["4072"]


def test_the_cda_of_another_patient_is_refused(pfi, submit):
    assert refusal(submit, pfi.cda(number="4072"), {"identity": "HOSP|4071"}) == "904"
    assert pfi.documents() == []


def test_an_unknown_patient_is_refused(pfi, submit):
    assert refusal(submit, pfi.cda(), {"identity": "HOSP|9999"}) == "902"


def test_a_pdf_has_a_description(submit):
    assert refusal(submit, PDF, {"identity": "HOSP|4071"}) == "906"


def test_a_cda_has_no_description_beside_it(pfi, submit):
    assert refusal(submit, pfi.cda(), LETTER) == "906"


@pytest.mark.parametrize("name", ["letter.json", "letter.toml"])
def test_a_description_nested_beyond_measure_is_refused(name):
    nested = b"[" * 100_000
    with pytest.raises(IntakeRefused) as refused:
        read_ticket(name, b'{"a":' + nested if name.endswith("json") else b"a=" + nested)
    assert refused.value.code == "906"


def test_an_unknown_key_is_refused(submit):
    assert refusal(submit, PDF, LETTER + "destinataire = 1\n") == "906"


def test_a_document_for_nobody_is_refused(pfi, submit):
    asked = {"identity": "HOSP|4071", "sending": {"flags": {"to_dmp": False}}}
    assert refusal(submit, pfi.cda(), asked) == "906"


def test_a_recipient_that_is_no_address_is_refused(submit):
    assert refusal(submit, PDF, LETTER.replace("anne.leroux@exemple.mssante.fr", "anne.leroux")) == "906"
