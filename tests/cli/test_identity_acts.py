"""`insigne identity create`, `retrieve-ins`, `accept`, `record-proof`…: against a real base and INSi over TLS."""

import io
import json
import subprocess
import sys
from contextlib import closing

import fhirkit
import pytest

from insigne.exchange.creation import prior_search
from insigne.exchange.errors import StoreBusy
from insigne.ins.datamatrix import write_payload
from insigne.ins.traits import StrictTraits
from insigne.insi.client import InsiClient
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.script import Effects
from insigne.store import Store, open_store

from .conftest import ins_of, status_of

MATRICULE = "275126322074974"
NIR = "1.2.250.1.213.1.4.8"
SYMBOL = write_payload(StrictTraits("ADRUN", "", "ZOE", "19751231", "F", "63220"), MATRICULE, NIR)


def spoil(desk, **effects):
    desk.nation.call(lambda: desk.nation.simulator.control.change(Change(effects=Effects(**effects))))


def qualified(desk):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    desk.act("identity", "accept", identity)
    desk.act("identity", "record-proof", identity, "--type", "PA")
    return identity


# --- creating


def test_a_created_identity_is_provisional_and_numbered_by_us(desk):
    created, _ = desk.act(
        "identity", "create", "--birth-name", "Dupré-Lœuf", "--given", "Anne Marie", "--given", "zoé", "--sex", "f",
        "--birth-date", "1960-05-30", "--birth-place", "88154", "--used-name", "Martin",
    )  # fmt: skip
    assert fhirkit.validate(created) == []
    assert status_of(created) == "PROV"
    assert [(i["value"], i["use"]) for i in created["identifier"]] == [("1", "usual")]
    official, used = created["name"]
    assert (official["family"], official["given"]) == ("DUPRE-LOEUF", ["ANNE MARIE"])
    assert used["family"] == "Martin"
    [again] = desk.lines("identity", "show", "INSIGNE|1")
    assert again == created
    assert desk.create("DURAND", "PAUL") != created["id"]
    assert desk.lines("identity", "show", "INSIGNE|2")[0]["name"][0]["family"] == "DURAND"


def test_the_person_and_the_search_made_before_are_in_the_history(desk):
    first = desk.create("ADRUN", "ZOE")
    second = desk.create("ADRUN", "ZELIE", more=("--despite-matches",))
    created, searched = desk.lines("identity", "history", second)
    assert (created["author"], created["cause"]) == ("user:claire", {"kind": "user", "id": "claire"})
    assert searched["event"] == "prior-search-made"
    assert searched["after"]["found"] == [first]
    assert dict(searched["after"]["criteria"])["birth_date"] == "1975-12-31"


def test_somebody_alike_is_shown_and_nothing_is_created_without_saying_so(desk):
    first = desk.create("ADRUN", "ZOE")
    args = ("--sex", "F", "--birth-date", "1975-12-31", "--birth-place", "63220")
    for name, given in (("ADRUNE", "PAULE"), ("DURAND", "ZOÉ"), ("adrun", "zoe")):
        shown, said = desk.act("identity", "create", "--birth-name", name, "--given", given, *args, status=1)
        assert [patient["id"] for patient in shown["candidates"]] == [first]
        assert "--despite-matches" in said
    other = desk.create("DURAND", "PAULE")
    assert other != first
    twin = desk.create("ADRUN", "ZOE", more=("--despite-matches",))
    assert twin not in (first, other)


def test_nobody_creates_the_same_person_between_the_search_and_the_creation(desk, monkeypatch):
    held = []

    def searched(*args):
        with closing(open_store(f"sqlite:///{desk.folder / 'insigne.db'}", wait=0.01)) as other:
            with pytest.raises(StoreBusy):
                other.begin()
            held.append(True)
        return prior_search(*args)

    monkeypatch.setattr("insigne.cli.identity_acts.prior_search", searched)
    desk.create()
    assert held == [True]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--birth-name", "DUPONT2", "birth_name"),
        ("--given", "ANNE_MARIE", "first_given_name"),
        ("--sex", "X", "sex"),
        ("--birth-date", "1960-02-30", "birth_date"),
        ("--birth-date", "1960-04-31", "birth_date"),
        ("--attribute", "DOUBT", "--attribute"),
        ("--birth-date", "yesterday", "birth_date"),
        ("--birth-place", "75001 PARIS", "birth_place"),
        ("--given-names", "PAULE ANNE", "beginning of the list"),
    ],
)
def test_what_the_rules_of_entry_refuse_is_named(desk, option, value, said):
    traits = {
        "--birth-name": "DUPONT", "--given": "ANNE", "--sex": "F", "--birth-date": "1960-02-01",
        "--birth-place": "88154",
    } | {option: value}  # fmt: skip
    args = [part for pair in traits.items() for part in pair]
    result = desk.run("identity", "create", *args, "--as", "claire", "--json")
    assert result.status in (1, 2)
    assert said in result.err
    assert result.out == ""


def test_an_incomplete_birth_date_is_completed_flagged_and_never_sent_to_insi(desk):
    identity = desk.create(born="1975-00-00")
    [patient] = desk.lines("identity", "show", identity)
    assert patient["birthDate"] == "1975-12-31"
    document, said = desk.act("identity", "retrieve-ins", identity, status=1)
    assert "complétée ici" in said
    assert status_of(document) == "PROV"


def test_an_anonymous_stay_is_fictitious_and_insi_is_not_asked(desk):
    identity = desk.create("ANONYME", "X", more=("--attribute", "FICT", "--reason", "séjour sous X"))
    assert status_of(desk.lines("identity", "show", identity)[0]) == "PROV FICT"
    result = desk.run("identity", "retrieve-ins", identity, "--as", "claire", "--json")
    assert (result.status, result.out) == (1, "")
    assert "EXI ID 26" in result.err


# --- who may


def test_an_act_needs_a_person_their_secret_and_the_right(desk, monkeypatch):
    identity = desk.create()
    assert desk.run("identity", "accept", identity, "--json").status == 2
    assert "identity.qualify" in desk.act("identity", "accept", identity, user="adele", status=2)[1]
    desk.act("identity", "merge", identity, identity, "--reason", "x", user="quentin", status=2)
    monkeypatch.setenv("INSIGNE_SECRET", "un autre secret")
    desk.act("identity", "accept", identity, status=2)


def test_only_an_identity_repository_acts(desk):
    desk.configure('roles = ["consumer"]')
    _, said = desk.act("identity", "accept", "INSIGNE|1", status=2)
    assert "role ri" in said


def test_an_identity_of_another_repository_is_not_acted_on(desk, hospital):
    desk.folder = hospital.folder
    desk._run("--data", desk.folder, "user", "add", "claire", "--role", "identitovigilance", "--json")
    _, said = desk.act("identity", "set-attribute", "GAM|4071", "DOUT", "--reason", "x", status=1)
    assert "another repository" in said


# --- asking INSi, accepting, refusing


def test_from_provisional_to_qualified(desk):
    identity = desk.create()
    found, said = desk.act("identity", "retrieve-ins", identity)
    assert (status_of(found), ins_of(found)) == ("PROV", "")
    assert "comparez-la avec la personne" in said
    accepted, _ = desk.act("identity", "accept", identity)
    assert status_of(accepted) == "RECUP"
    proven, _ = desk.act("identity", "record-proof", identity, "--type", "PA", "--expiry", "2099-01-01")
    assert (status_of(proven), ins_of(proven)) == ("QUAL", MATRICULE)
    told = {part["url"]: part for part in proven["extension"][0]["extension"]}
    assert told["methodCollection"]["valueCoding"]["code"] == "INSI"
    assert told["validationMode"]["valueCoding"]["code"] == "PA"
    assert told["dateInterrogationINSi"]["valueDate"] == proven["meta"]["lastUpdated"][:10]
    assert fhirkit.validate(proven) == []
    assert desk.lines("identity", "show", f"{NIR}|{MATRICULE}")[0]["id"] == identity


def test_a_document_first_then_insi_qualifies_too(desk):
    identity = desk.create()
    proven, _ = desk.act("identity", "record-proof", identity, "--type", "CN")
    assert status_of(proven) == "VALI"
    desk.act("identity", "retrieve-ins", identity)
    assert status_of(desk.act("identity", "accept", identity)[0]) == "QUAL"


@pytest.mark.parametrize(
    ("name", "given", "born", "place", "said"),
    [
        ("INCONNUE", "ZOE", "1975-12-31", "63220", "personne"),
        ("DE VINCI", "LEONARDO", "2014-02-01", "99999", "plusieurs"),
    ],
)
def test_nobody_or_several_leave_the_status_and_a_task(desk, name, given, born, place, said):
    sex = "M" if given == "LEONARDO" else "F"
    identity = desk.create(name, given, sex=sex, born=born, place=place)
    document, told = desk.act("identity", "retrieve-ins", identity, status=1)
    assert status_of(document) == "PROV"
    assert said in told
    _, told = desk.act("identity", "accept", identity, status=1)
    assert "retrieve-ins" in told


def test_a_silent_service_leaves_the_question_in_the_queue(desk):
    identity = desk.create()
    spoil(desk, http=503)
    document, said = desk.act("identity", "retrieve-ins", identity, status=3)
    assert status_of(document) == "PROV"
    assert "en file" in said
    [job] = desk.lines("insi", "queue")
    assert (job["state"], job["attempts"], job["author"]) == ("waiting", 1, "user:claire")
    spoil(desk)
    desk.act("identity", "retrieve-ins", identity)
    assert [job["state"] for job in desk.lines("insi", "queue", "--state", "all")] == ["done"]


def test_what_insi_answered_is_shown_beside_what_is_held(desk):
    identity = desk.create("ECETINSI", "PIERRE-ALAIN", sex="M", born="2009-07-14")
    shown = desk.run("identity", "retrieve-ins", identity, "--as", "claire").out
    [line] = [line for line in shown.splitlines() if line.startswith("prénoms de naissance")]
    assert "PIERRE-ALAIN MURIEL FLORIANT" in line
    [item] = desk.lines("worklist", "list", "--kind", "to-compare")
    assert line in desk.run("worklist", "show", item["id"]).out.splitlines()


def test_an_answer_about_somebody_else_is_shown_and_cannot_be_accepted(desk):
    identity = desk.create()
    spoil(desk, wrong_person=True)
    _, said = desk.act("identity", "retrieve-ins", identity)
    assert "noms de naissance sont différents" in said
    _, said = desk.act("identity", "accept", identity, status=1)
    assert "birth_name" in said
    refused, _ = desk.act("identity", "refuse", identity, "--reason", "autre personne")
    assert status_of(refused) == "PROV"
    assert "national-answer-refused" in desk.events(identity)
    assert desk.work() == ["divergence"]


@pytest.mark.parametrize("act", [("accept",), ("refuse", "--reason", "autre personne")], ids=["accept", "refuse"])
def test_an_answer_that_came_after_the_one_seen_is_not_decided_on_unseen(desk, act):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    [seen] = desk.lines("insi", "calls", "--identity", identity)
    desk.act("identity", "retrieve-ins", identity, user="quentin")
    newer = desk.lines("insi", "calls", "--identity", identity)[0]
    for options in ((), ("--call", seen["id"])):
        _, said = desk.act("identity", *act, identity, *options, status=1)
        assert "another answer of INSi came since" in said
        assert newer["id"] in said
    assert desk.work() == ["to-compare"]
    desk.act("identity", *act, identity, "--call", newer["id"])
    assert "to-compare" not in desk.work()


def test_an_answer_nobody_named_is_shown_before_it_is_decided_on(desk):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity, user="quentin")
    [call] = desk.lines("insi", "calls", "--identity", identity)
    [item] = desk.lines("worklist", "list", "--kind", "to-compare")
    assert call["id"] in desk.run("worklist", "show", item["id"]).out
    shown = desk.run("identity", "accept", identity, "--as", "claire")
    assert shown.status == 0
    assert call["id"] in shown.err
    assert "nom de naissance" in shown.out


@pytest.mark.parametrize(("typed", "status"), [("n", "PROV"), ("y", "RECUP")])
def test_a_terminal_asks_before_it_decides(desk, monkeypatch, typed, status):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    terminal = io.StringIO(f"{typed}\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    desk.run("identity", "accept", identity, "--as", "claire")
    assert status_of(desk.lines("identity", "show", identity)[0]) == status


def test_the_first_given_name_is_chosen_among_those_of_the_list(desk):
    identity = desk.create("ECETINSI", "PIERRE-ALAIN", sex="M", born="2009-07-14")
    desk.act("identity", "retrieve-ins", identity)
    _, said = desk.act("identity", "accept", identity, "--first-given", "MURIEL", status=1)
    assert "PIERRE-ALAIN MURIEL" in said
    accepted, _ = desk.act("identity", "accept", identity, "--first-given", "PIERRE-ALAIN MURIEL")
    assert accepted["name"][0]["given"] == ["PIERRE-ALAIN MURIEL"]


def test_the_same_ins_on_two_identities_is_said_and_contested(desk):
    qualified(desk)
    second = desk.create(more=("--despite-matches",))
    _, said = desk.act("identity", "retrieve-ins", second)
    assert "déjà portée" in said
    desk.act("identity", "accept", second)
    assert status_of(desk.act("identity", "record-proof", second, "--type", "PA")[0]) == "VALI"
    assert desk.work() == ["same-ins"]


def test_reco_pp_03_blocks_the_call_without_document_when_the_site_says_so(desk):
    identity = desk.create()
    assert "RECO PP 03" in desk.act("identity", "retrieve-ins", identity)[1]
    block = ("--set", "insi.reco_pp_03=block")
    desk.act("identity", "retrieve-ins", identity, *block, status=1)
    desk.act("identity", "retrieve-ins", identity, "--document-at-hand", *block)


# --- the carte Vitale, read by hand

CARD = ("--holder", MATRICULE, "--name", "Adrun", "--birth-date", "1975-12-31")


def test_an_answer_by_carte_vitale_is_accepted_on_the_identity_it_was_asked_for(desk):
    identity = desk.create()
    answer, said = desk.act("insi", "vitale", *CARD, "--identity", identity)
    [call] = desk.lines("insi", "calls", "--identity", identity)
    assert (answer["code"], answer["ins"]["matricule"], answer["call"]) == ("00", MATRICULE, call["id"])
    assert (call["operation"], call["author"]) == ("vitale", "user:claire")
    assert call["id"] in said
    assert status_of(desk.lines("identity", "show", identity)[0]) == "PROV", "nothing is accepted by itself"
    assert desk.work() == ["to-compare"]
    accepted, _ = desk.act("identity", "accept", identity, "--call", call["id"])
    assert status_of(accepted) == "RECUP"
    assert "to-compare" not in desk.work()
    told = {part["url"]: part for part in accepted["extension"][0]["extension"]}
    assert told["methodCollection"]["valueCoding"]["code"] == "CV"
    proven, _ = desk.act("identity", "record-proof", identity, "--type", "PA")
    assert (status_of(proven), ins_of(proven)) == ("QUAL", MATRICULE)
    assert fhirkit.validate(proven) == []


def test_the_card_of_somebody_else_is_shown_and_cannot_be_accepted(desk):
    identity = desk.create("DURAND", "PAULE")
    answer, said = desk.act("insi", "vitale", *CARD, "--identity", identity)
    assert "noms de naissance sont différents" in said
    assert "birth_name" in desk.act("identity", "accept", identity, "--call", answer["call"], status=1)[1]
    desk.act("identity", "refuse", identity, "--call", answer["call"], "--reason", "carte d'un autre")
    assert desk.work() == ["divergence"]


def test_an_answer_by_carte_vitale_takes_the_place_of_the_one_seen_before(desk):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    [seen] = desk.lines("insi", "calls", "--identity", identity)
    desk.act("insi", "vitale", *CARD, "--identity", identity, user="quentin")
    _, said = desk.act("identity", "accept", identity, "--call", seen["id"], status=1)
    assert "another answer of INSi came since" in said


def test_a_card_that_names_nobody_leaves_the_answer_that_waits(desk):
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    answer, said = desk.act("insi", "vitale", "--holder", "1010175000001", "--identity", identity, status=1)
    assert (answer["code"], "call" in answer) == ("01", False)
    assert "ne change pas" in said
    assert desk.work() == ["to-compare"]
    assert len(desk.lines("insi", "calls", "--identity", identity)) == 2


def test_a_card_is_read_for_an_identity_by_a_person_with_the_right_whom_insi_may_be_asked_about(desk):
    identity = desk.create()
    named = ("insi", "vitale", *CARD, "--identity", identity)
    assert desk.run(*named).status == 2
    assert desk.run("insi", "vitale", *CARD, "--as", "claire").status == 2
    block = ("--set", "insi.reco_pp_03=block")
    assert "RECO PP 03" in desk.act(*named, *block, status=1)[1]
    desk.act(*named, "--document-at-hand", *block)
    fictitious = desk.create("ANONYME", "X", more=("--attribute", "FICT", "--reason", "séjour sous X"))
    calls = len(desk.lines("insi", "calls"))
    desk.act("insi", "vitale", *CARD, "--identity", fictitious, status=1)
    assert len(desk.lines("insi", "calls")) == calls


def test_an_answer_by_carte_vitale_is_written_once_the_base_is_free(desk, monkeypatch):
    identity = desk.create()
    begin, busy = Store.begin, []

    def asked(client, *args):
        busy.extend([True] * 3)
        return ask(client, *args)

    def held(store, *args):
        if busy:
            busy.pop()
            raise StoreBusy("another writer holds the base")
        return begin(store, *args)

    ask = InsiClient.vitale
    monkeypatch.setattr(InsiClient, "vitale", asked)
    monkeypatch.setattr(Store, "begin", held)
    answer, _ = desk.act("insi", "vitale", *CARD, "--identity", identity)
    assert busy == []
    assert [call["id"] for call in desk.lines("insi", "calls")] == [answer["call"]]
    assert desk.work() == ["to-compare"]


def test_a_search_of_our_own_takes_no_more_the_place_of_an_answer_by_carte_vitale(desk):
    identity = desk.create(more=("--set", "insi.automatic=true"))
    [job] = desk.lines("insi", "queue")
    assert (job["kind"], job["state"]) == ("retrieve", "waiting")
    desk.act("insi", "vitale", *CARD, "--identity", identity)
    [job] = desk.lines("insi", "queue", "--state", "all")
    assert (job["state"], job["outcome"]) == ("cancelled", "answer-waits")


def test_the_trace_of_an_answer_by_carte_vitale_leads_from_the_call_to_what_it_raised(desk):
    identity = desk.create()
    answer, _ = desk.act("insi", "vitale", *CARD, "--identity", identity)
    [trace] = desk.lines("message", "show", answer["call"], "--trace")
    assert (trace["cause"]["kind"], trace["cause"]["author"]) == ("insi", "user:claire")
    assert [(call["id"], call["operation"]) for call in trace["calls"]] == [(answer["call"], "vitale")]
    assert [event["event"] for event in trace["events"]] == ["work-item-raised"]


# --- two people at once


def test_of_two_people_who_saw_the_same_version_the_second_is_told(desk):
    identity = desk.create()
    seen = desk.lines("identity", "show", identity)[0]["meta"]["versionId"]
    desk.act("identity", "record-proof", identity, "--type", "PA", "--if-version", seen)
    _, said = desk.act("identity", "set-attribute", identity, "DOUT", "--reason", "x", "--if-version", seen, status=1)
    assert "look at it again" in said
    assert status_of(desk.lines("identity", "show", identity)[0]) == "VALI"


# --- documents


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--type", "PC"), "permis de conduire"),
        (("--type", "CV"), "carte Vitale seule"),
        (("--type", "ZZ"), "documents: PA, CN"),
        (("--type", "AN"), "mineur"),
        (("--type", "TC"), "convention"),
    ],
)
def test_a_document_that_proves_nothing_is_refused_with_its_reason(desk, options, said):
    identity = desk.create()
    document, told = desk.act("identity", "record-proof", identity, *options, status=1)
    assert document is None
    assert said in told
    assert "proof-recorded" not in desk.events(identity)


def test_no_document_is_chosen_in_advance(desk):
    identity = desk.create()
    assert desk.act("identity", "record-proof", identity, status=2)[0] is None


def test_an_expired_document_is_noted_and_a_valid_one_asked_for(desk):
    identity = desk.create()
    document, said = desk.act("identity", "record-proof", identity, "--type", "CN", "--expiry", "2020-01-01", status=1)
    assert status_of(document) == "PROV"
    assert "validité" in said
    assert desk.work() == ["expired-document"]
    desk.act("identity", "record-proof", identity, "--type", "CN", "--expiry", "2099-01-01")
    assert desk.work() == []


def test_a_minor_needs_the_document_of_a_parent_too(desk):
    identity = desk.create("JEUNE", "ANNE", born="2020-05-05")
    _, said = desk.act("identity", "record-proof", identity, "--type", "LE", status=1)
    assert "parent" in said
    assert status_of(desk.act("identity", "record-proof", identity, "--type", "LE", "--guardian", "PA")[0]) == "VALI"


def test_the_site_grades_its_documents(desk):
    desk.configure('[proof]\ntypes = [{code = "TC", trust = "high"}]')
    identity = desk.create()
    assert status_of(desk.act("identity", "record-proof", identity, "--type", "TC")[0]) == "VALI"
    desk.configure('[proof]\ntypes = [{code = "PC", trust = "high"}]')
    assert "proof.types" in desk.act("identity", "record-proof", identity, "--type", "PA", status=2)[1]


# --- attributes, edits


@pytest.mark.parametrize(
    ("put", "expected"),
    [
        ((), None), (("HOMA",), "QUAL HOMA"), (("DOUT",), "PROV DOUT"), (("FICT",), "PROV FICT"),
        (("DOUT", "HOMA"), "PROV DOUT HOMA"), (("DOUT", "FICT"), None), (("FICT", "HOMA"), None),
        (("DOUT", "FICT", "HOMA"), None),
    ],
)  # fmt: skip
def test_the_eight_sets_of_attributes(desk, put, expected):
    identity = qualified(desk)
    args = ("identity", "set-attribute", identity, *put, "--reason", "dit au guichet")
    if expected is None:
        desk.act(*args, status=1 if put else 2)
        assert status_of(desk.lines("identity", "show", identity)[0]) == "QUAL"
        return
    assert status_of(desk.act(*args)[0]) == expected
    lift = [part for one in put for part in ("--lift", one)]
    lifted, _ = desk.act("identity", "set-attribute", identity, *lift, "--reason", "levé")
    assert status_of(lifted) == ("QUAL" if put == ("HOMA",) else "PROV")


def test_editing_a_strict_trait_sends_back_to_provisional_and_a_used_name_does_not(desk):
    identity = qualified(desk)
    assert status_of(desk.act("identity", "edit", identity, "--used-name", "MARTIN")[0]) == "QUAL"
    desk.act("identity", "edit", identity, "--birth-name", "ADRUNE", status=2)
    edited, _ = desk.act("identity", "edit", identity, "--birth-name", "ADRUNE", "--reason", "pièce relue")
    assert (status_of(edited), ins_of(edited)) == ("PROV", "")
    last = [line for line in desk.lines("identity", "history", identity) if line["event"] == "traits-changed"][-1]
    assert (last["reason"], last["after"]) == ("pièce relue", {"traits": {"birth_name": "ADRUNE"}})


# --- merging


def test_a_merge_is_shown_and_undone(desk):
    one, two = desk.create(), desk.create(more=("--despite-matches",))
    merged, _ = desk.act("identity", "merge", "INSIGNE|1", "INSIGNE|2", "--reason", "même personne")
    assert merged["link"] == [{"other": {"reference": f"Patient/{two}"}, "type": "replaces"}]
    assert desk.lines("identity", "show", "INSIGNE|2")[0]["id"] == one
    again, _ = desk.act("identity", "unmerge", "INSIGNE|2", "--reason", "jumelles")
    assert again["id"] == two
    assert "link" not in again
    assert desk.work() == ["unmerged"]
    desk.act("identity", "unmerge", "INSIGNE|2", "--reason", "jumelles", status=1)


def test_an_identity_better_established_than_its_survivor_is_said(desk):
    qualified(desk)
    desk.create(more=("--despite-matches",))
    _, said = desk.act("identity", "merge", "INSIGNE|2", "INSIGNE|1", "--reason", "même personne")
    assert "QUAL" in said


# --- verification, Data Matrix, Application carte Vitale


def test_a_verification_confirms_or_withdraws_the_ins(desk):
    identity = qualified(desk)
    verified, said = desk.act("identity", "verify-ins", identity)
    assert (status_of(verified), "confirme" in said) == ("QUAL", True)
    stranger = desk.create("DURAND", "PAULE")
    assert "ne porte pas" in desk.act("identity", "verify-ins", stranger, status=1)[1]
    spoil(desk, http=503)
    desk.act("identity", "verify-ins", identity, status=3)


def test_a_scanned_ins_is_taken_once_insi_confirms_it(desk):
    identity = desk.create()
    scanned, _ = desk.act("identity", "scan", identity, SYMBOL)
    assert status_of(scanned) == "RECUP"
    assert status_of(desk.act("identity", "record-proof", identity, "--type", "PA")[0]) == "QUAL"


def test_a_scanned_ins_that_insi_does_not_know_leaves_the_identity_as_it_was(desk, tmp_path):
    stranger = write_payload(StrictTraits("ADRUN", "", "ZOE", "19751231", "F", "63220"), "275126322074971", NIR)
    file = tmp_path / "symbol.txt"
    file.write_text(stranger + "\n")
    nobody = write_payload(StrictTraits("INCONNUE", "", "ZOE", "19751231", "F", "63220"), MATRICULE, NIR)
    identity = desk.create()
    assert "birth_name" in desk.act("identity", "scan", identity, nobody, status=1)[1]
    other = desk.create("INCONNUE", "ZOE", more=("--despite-matches",))
    document, _ = desk.act("identity", "scan", other, nobody, status=1)
    assert status_of(document) == "PROV"
    assert desk.work() == ["verification-ko"]
    assert "rule" in desk.act("identity", "scan", identity, "IS99", status=1)[1]
    desk.act("identity", "scan", identity, tmp_path / "absent", status=2)


def test_without_a_verification_service_a_scanned_ins_waits(desk):
    desk.configure(adapter="none")
    identity = desk.create()
    document, said = desk.act("identity", "scan", identity, SYMBOL)
    assert status_of(document) == "PROV"
    assert "attend" in said


def test_an_act_for_a_version_of_an_identity_merged_since_does_not_fall_on_the_survivor(desk):
    one, two = desk.create(), desk.create(more=("--despite-matches",))
    desk.act("identity", "merge", one, two, "--reason", "même personne")
    seen = desk.lines("identity", "show", one)[0]["meta"]["versionId"]
    proof = ("--type", "CN", "--if-version", seen)
    for name in (two, "INSIGNE|2"):
        assert "merged" in desk.act("identity", "record-proof", name, *proof, status=1)[1]
        assert "merged" in desk.act("identity", "merge", one, name, "--reason", "même personne", status=1)[1]
    assert status_of(desk.lines("identity", "show", one)[0]) == "PROV"
    assert status_of(desk.act("identity", "record-proof", one, *proof)[0]) == "VALI"


def test_what_a_card_and_a_person_say_is_written_by_the_rules_of_entry(desk, tmp_path):
    identity, file = desk.create(), tmp_path / "card.json"
    card = {
        "matricule": MATRICULE, "oid": NIR, "birth_name": "Adrun", "given_names": "zoé", "sex": "F",
        "birth_date": "1975-12-31", "birth_place": "63220",
    }  # fmt: skip
    file.write_text(json.dumps(card | {"birth_name": "ADRUN 2"}))
    assert "birth_name" in desk.act("identity", "qualify-by-card", identity, file, status=2)[1]
    file.write_text(json.dumps(card))
    assert (
        "first_given_name"
        in desk.act("identity", "qualify-by-card", identity, file, "--first-given", "Z0", status=2)[1]
    )
    document, _ = desk.act("identity", "qualify-by-card", identity, file, "--first-given", "Zoé")
    assert [(name["family"], name["given"]) for name in document["name"] if name["use"] == "official"] == [
        ("ADRUN", ["ZOE"])
    ]


def test_the_application_carte_vitale_qualifies_without_insi(desk, tmp_path):
    identity = desk.create()
    calls = desk.nation.simulator.engine.calls.count
    card = {
        "matricule": MATRICULE, "oid": NIR, "birth_name": "ADRUN", "given_names": "ZOE", "sex": "F",
        "birth_date": "1975-12-31", "birth_place": "63220",
    }  # fmt: skip
    file = tmp_path / "card.json"
    file.write_text(json.dumps(card))
    document, _ = desk.act("identity", "qualify-by-card", identity, file)
    assert status_of(document) == "QUAL"
    assert desk.nation.simulator.engine.calls.count == calls
    file.write_text("{}")
    assert "matricule" in desk.act("identity", "qualify-by-card", identity, file, status=2)[1]


def test_a_card_whose_matricule_is_none_is_refused_and_a_wrong_key_is_said(desk, tmp_path):
    identity, file = desk.create(), tmp_path / "card.json"
    traits = {"birth_name": "ADRUN", "given_names": "ZOE", "sex": "F", "birth_date": "1975-12-31"}
    file.write_text(json.dumps({"matricule": "ABC", "oid": NIR} | traits))
    assert "15 caractères" in desk.act("identity", "qualify-by-card", identity, file, status=1)[1]
    assert status_of(desk.lines("identity", "show", identity)[0]) == "PROV"
    file.write_text(json.dumps({"matricule": MATRICULE[:13] + "01", "oid": NIR} | traits))
    assert "clé" in desk.act("identity", "qualify-by-card", identity, file)[1]


# --- the frame


def test_reading_imports_nothing_of_what_acts_need(site):
    code = (
        "import sys\nfrom insigne.cli import main\n"
        f"try: main(['--data', {str(site.folder)!r}, 'identity', 'show', 'GAM|1'])\nexcept SystemExit: pass\n"
        "heavy = ('insigne.app', 'insigne.insi.client', 'insigne.insi.wire', 'lxml', 'insigne.cli.identity_acts')\n"
        "print([name for name in sys.modules if name in heavy])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_acts_are_in_the_help_of_the_family(insigne):
    listed = insigne("identity", "--help").out
    for act in ("create", "retrieve-ins", "accept", "refuse", "record-proof", "set-attribute", "merge", "unmerge"):
        assert f"  {act} " in listed
        assert "--as" in insigne("identity", act, "--help").out
