"""`insigne document list|show|confirm|retry|withdraw|review`, on a base whose server is not running."""

import hashlib
import json

import msgspec
import pytest

from insigne.app.base import open_base
from insigne.config import load
from insigne.dmp.model import Content, Document, Intent, Sending
from insigne.registry import events as ev
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store

AT = "2026-03-01T08:00:00.000Z"
GAM = Authority("GAM", "1.2.250.1.999.1", "ISO")
INS = Ins("284053726111885", "1.2.250.1.213.1.4.8")
BODY = b"%PDF-1.4 letter"


def document(number):
    return Document(
        id=f"D{number}",
        received=AT,
        source="mllp:DPI",
        message=f"M{number}",
        control_id=f"C{number}",
        sending="DPI|CHU",
        intent=Intent.INITIAL,
        unique_id=f"1.2.{number}",
        set_id=f"1.2.{number}",
        version=1,
        parent="",
        type_code="11490-0",
        title="Lettre de liaison",
        confidentiality="N",
        created=AT,
        identity="P",
        patient=msgspec.json.encode((Identifier("PI", GAM, "4071"),)),
        content=Content(hashlib.sha256(BODY).hexdigest(), len(BODY), "application/pdf"),
    )


def sending(number, state, reason, **fields):
    return Sending(
        **{
            "id": f"S{number}", "document": f"D{number}", "channel": "dmp", "action": "feed", "identity": "P",
            "state": state, "reason": reason, "since": AT, "due": "", **fields,
        }
    )  # fmt: skip


@pytest.fixture
def held(desk):
    """A patient without INS: a document that waits, one refused, one fed under an INS that was lost since."""
    lost = f"{INS.oid}|{INS.matricule}"
    base = open_base(load(desk.config, [], {}, desk.folder))
    created = ev.IdentityCreated(
        domain=GAM.key,
        identifiers=(Identifier("PI", GAM, "4071"),),
        traits=Traits("BERANGER", "MAELLE", "MAELLE", "19810412", "F", "29019"),
        details=Details(),
        checked=True,
        attributes=(),
        reliability=(),
        trusted=True,
    )
    with base.store.begin() as transaction:
        changes = WorkingSet(transaction)
        changes.add(ev.Recorded("identity", "P", 1, AT, "gam", "message", "M", created))
        transaction.write(changes, ())
        transaction.put_content(document(1).content.digest, [BODY])
        for number in (1, 2, 3):
            transaction.put_document(document(number))
        transaction.put_sending(sending(1, "waiting-ins", "ins-missing"))
        transaction.put_sending(sending(2, "refused", "refused", code="XDSRegistryMetadataError", ended=AT))
        transaction.put_sending(sending(3, "fed", "to-withdraw", ins=lost, ended=AT))
        deletion = sending(3, "to-confirm", "ins-lost", ins=lost, action="delete")
        transaction.put_sending(msgspec.structs.replace(deletion, id="S4"))
        transaction.commit()
    base.close()
    return desk


def act(desk, *args, status=0):
    result = desk.run("document", *args, "--as", "claire", "--json")
    assert result.status == status, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def states(desk):
    return {row["id"]: (row["action"], row["state"]) for row in desk.lines("document", "list")}


def test_documents_are_listed_with_why_and_what_to_do(held):
    rows = held.lines("document", "list")
    assert [(row["id"], row["state"], row["reason"]) for row in rows] == [
        ("S4", "to-confirm", "ins-lost"),
        ("S3", "fed", "to-withdraw"),
        ("S2", "refused", "refused"),
        ("S1", "waiting-ins", "ins-missing"),
    ]
    assert rows[-1]["why"] == "le patient n’a pas d’INS"
    assert [row["id"] for row in held.lines("document", "list", "--state", "refused")] == ["S2"]
    assert [row["id"] for row in held.lines("document", "list", "--document", "1.2.3", "--channel", "dmp")] == [
        "S4",
        "S3",
    ]
    assert [row["id"] for row in held.lines("document", "list", "--identity", "P", "--limit", "1")] == ["S4"]
    refused = held.run("document", "list", "--state", "lost")
    assert (refused.status, "waiting-ins" in refused.err) == (2, True)


def test_a_document_is_shown_with_the_others_of_the_same_and_never_the_ins(held):
    result = held.run("document", "show", "S4", "--json")
    told = json.loads(result.out)
    assert (told["state"], told["unique_id"], [one["id"] for one in told["others"]]) == ("to-confirm", "1.2.3", ["S3"])
    assert "confirm" in told["remedy"]
    assert INS.matricule not in result.out
    assert held.run("document", "show", "S9").status == 1


def test_a_deletion_is_confirmed_by_a_named_person_and_audited(held):
    assert held.run("document", "confirm", "S4").status == 2
    [told] = act(held, "confirm", "S4")
    assert (told["state"], told["reason"]) == ("ready", "confirmed")
    store = open_store(f"sqlite:///{held.folder / 'insigne.db'}")
    with store.read() as view:
        trail = [(entry.author, entry.act, entry.object) for _, entry in view.acts()]
    store.close()
    assert trail[-1] == ("user:claire", "document-deletion-confirmed", "document:S4")
    act(held, "confirm", "S4", status=1)


def test_a_deletion_is_abandoned_with_a_reason(held):
    act(held, "confirm", "S4", "--abandon", status=2)
    [told] = act(held, "confirm", "S4", "--abandon", "--reason", "bonne personne")
    assert (told["state"], told["reason"]) == ("cancelled", "abandoned")
    assert states(held)["S3"] == ("feed", "fed")


def test_a_document_is_tried_again_or_withdrawn_all_or_none(held):
    [told] = act(held, "retry", "S2")
    assert (told["state"], told["reason"]) == ("waiting-ins", "ins-missing")
    act(held, "withdraw", "S1", "S4", "--reason", "erreur", status=1)
    assert states(held)["S1"] == ("feed", "waiting-ins")
    act(held, "withdraw", "S1", status=2)
    [told] = act(held, "withdraw", "S1", "--reason", "erreur")
    assert told["state"] == "cancelled"


def test_all_that_waits_is_looked_at_again_when_asked(held):
    [told] = act(held, "review")
    assert told == {"patients": 1}


def test_who_has_not_the_right_does_nothing(held):
    result = held.run("document", "confirm", "S4", "--as", "adele")
    assert result.status == 2
    assert states(held)["S4"] == ("delete", "to-confirm")
