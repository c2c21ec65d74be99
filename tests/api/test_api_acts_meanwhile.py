"""Acts over HTTP on what is not any more what the person saw, or is not what it says: merges, answers, cards, texts."""

import pytest

from insigne.access import Scope
from insigne.ins.matricule import NIR_OID
from insigne.ins.status import Status

from ..status_matrix import CARD, MATRICULE, at, held


def tag(site, identity):
    return f'W/"{held(site.base, identity).version}"'


def merged(site, survivor, absorbed):
    answer = site.post(f"/{survivor}/merge", {"absorbed": absorbed, "reason": "même personne"})
    assert answer.status == 200
    return answer


# --- merges


def test_an_act_for_a_version_of_an_identity_merged_since_does_not_fall_on_the_survivor(counter):
    survivor, absorbed = at(counter.base, Status.PROV), at(counter.base, Status.PROV)
    merged(counter, survivor, absorbed)
    seen = tag(counter, survivor)  # by chance that of the one that was seen
    before = held(counter.base, survivor)
    for name in (absorbed, "INSIGNE%7C2"):
        late = counter.post(f"/{name}/record-proof", {"type": "PA"}, seen=seen)
        assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:merged")
        assert "name that one by its id" in late.json["detail"]
    assert held(counter.base, survivor) == before
    for name in (survivor, "INSIGNE%7C1"):
        assert counter.post(f"/{name}/record-proof", {"type": "PA"}, seen=tag(counter, survivor)).status == 200
    whoever = counter.post(f"/{absorbed}/record-proof", {"type": "PA"}, seen="*")
    assert (whoever.status, whoever.json["id"]) == (200, survivor)


def test_who_was_merged_since_is_not_taken_for_its_survivor_in_another_merge(counter):
    one, two, three = (at(counter.base, Status.PROV) for _ in range(3))
    merged(counter, two, three)
    for name in (three, "INSIGNE|3"):
        late = counter.post(f"/{one}/merge", {"absorbed": name, "reason": "même personne"})
        assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:merged")
    assert counter.post(f"/{two}/set-attribute", {"set": ["HOMA"], "reason": "jumelles"}).json["id"] == two


def test_an_identifier_of_several_merged_identities_names_none_to_unmerge(counter):
    one, two = at(counter.base, Status.RECUP), at(counter.base, Status.PROV)
    three = at(counter.base, Status.RECUP)
    for absorbed in (one, three):
        merged(counter, two, absorbed)
    shared = f"{NIR_OID}%7C{MATRICULE}"
    several = counter.post(f"/{shared}/unmerge", {"reason": "jumelles"}, seen="")
    assert (several.status, several.json["type"]) == (409, "urn:insigne:problem:ambiguous")
    assert set(several.json["identities"]) == {one, three}
    assert counter.post("/INSIGNE%7C1/unmerge", {"reason": "jumelles"}, seen="").json["id"] == one


# --- the answers of INSi


def waiting(site, identity):
    assert site.post(f"/{identity}/retrieve-ins").status == 202
    site.worked()
    return site.answer(identity)["answer"]


def test_no_answer_about_the_old_traits_is_shown_nor_accepted(counter):
    identity = at(counter.base, Status.PROV)
    call = waiting(counter, identity)["call"]
    edit = {"traits": {"birth_date": "1975-12-30"}, "reason": "pièce relue"}
    assert counter.post(f"/{identity}/edit", edit).status == 200
    assert counter.answer(identity)["answer"] is None
    late = counter.post(f"/{identity}/accept", {"call": call})
    assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:no-answer")


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_an_answer_replaced_at_the_last_moment_is_neither_accepted_nor_refused(counter, act, monkeypatch):
    identity = at(counter.base, Status.PROV)
    call = waiting(counter, identity)["call"]
    assert counter.post(f"/{identity}/retrieve-ins").status == 202
    begin = counter.base.store.begin

    def beginning(wait=None):
        monkeypatch.setattr(counter.base.store, "begin", begin)
        counter.worked()  # another answer comes between the look at the identity and the act
        return begin(wait)

    monkeypatch.setattr(counter.base.store, "begin", beginning)
    late = counter.post(f"/{identity}/{act}", {"call": call} | ({"reason": "autre"} if act == "refuse" else {}))
    assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:other-answer")
    assert not held(counter.base, identity).ins


def test_an_ins_held_elsewhere_is_shown_and_once_accepted_contested(counter):
    other = at(counter.base, Status.QUAL)
    identity = at(counter.base, Status.PROV)
    answer = waiting(counter, identity)
    assert answer["held_by"] == [other]
    accepted = counter.post(f"/{identity}/accept", {"call": answer["call"]})
    assert accepted.status == 200
    assert NIR_OID not in accepted.text
    with counter.base.store.read() as view:
        assert view.identity(identity).ins.contested
        assert [set(item.subjects) for item in view.work_items() if item.kind == "same-ins"] == [{identity, other}]
    assert held(counter.base, other).status == Status.QUAL


# --- the card


def test_the_traits_of_a_card_keep_the_rules_of_entry(counter):
    identity = at(counter.base, Status.PROV)
    typed = {
        "birth_name": " Adrun",
        "given_names": "zoé",
        "first_given_name": "Zoé",
        "matricule": "2 75 12 63 220 749 74",
    }
    done = counter.post(f"/{identity}/qualify-by-card", CARD | typed)
    assert done.status == 200
    with counter.base.store.read() as view:
        found = view.identity(identity)
    assert (found.traits.birth_name, found.traits.first_given_name, found.traits.given_names) == ("ADRUN", "ZOE", "ZOE")
    assert (found.status, found.ins.ins.matricule) == (Status.QUAL, MATRICULE)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("birth_name", "ADRUN2", "character"), ("given_names", "", "empty"), ("sex", "I", "code"), ("sex", "", "code"),
        ("birth_date", "1976-02-30", "calendar"), ("birth_date", "hier", "shape"), ("birth_place", "00000", "cog"),
        ("first_given_name", "ZO3", "character"),
    ],
)  # fmt: skip
def test_a_card_that_breaks_a_rule_of_entry_is_refused_with_that_rule(counter, field, value, rule):
    identity = at(counter.base, Status.PROV)
    refused = counter.post(f"/{identity}/qualify-by-card", CARD | {field: value})
    assert (refused.status, refused.json["type"]) == (422, "urn:insigne:problem:entry")
    assert [(fault["field"], fault["rule"]) for fault in refused.json["errors"]] == [(field, rule)]
    assert held(counter.base, identity).status == Status.PROV


def test_a_card_whose_date_is_not_whole_qualifies_nobody(counter):
    identity = at(counter.base, Status.PROV)
    refused = counter.post(f"/{identity}/qualify-by-card", CARD | {"birth_date": "1975-12-00"})
    assert (refused.status, refused.json["type"]) == (422, "urn:insigne:problem:answer-incomplete")


def test_the_first_given_name_chosen_in_an_answer_keeps_the_rules_of_entry(counter):
    identity = at(counter.base, Status.PROV)
    call = waiting(counter, identity)["call"]
    wrong = counter.post(f"/{identity}/accept", {"call": call, "first_given_name": "Z0E"})
    assert [fault["field"] for fault in wrong.json["errors"]] == ["first_given_name"]
    assert counter.post(f"/{identity}/accept", {"call": call, "first_given_name": "zoé"}).status == 200
    with counter.base.store.read() as view:
        assert view.identity(identity).traits.first_given_name == "ZOE"


# --- what is written in a request


@pytest.mark.parametrize("mark", ["\x00", "\t", "\n", "\x1b[2J", "\x7f", "\x85", "\u2028"])
@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("edit", {"traits": {"birth_name": "ADRUNE"}, "reason": "relu"}),
        ("merge", {"absorbed": "INSIGNE|1", "reason": "x"}),
        ("merge", {"reason": "x", "absorbed": "INSIGNE|1"}), ("record-proof", {"type": "PA"}),
        ("accept", {"call": "c"}), ("edit", {"details": {"nationality": "FRA"}}),
    ],
)  # fmt: skip
def test_no_control_character_is_taken_not_even_at_the_end(counter, act, body, mark):
    last = list(body)[-1]
    spoiled = {"nationality": f"FRA{mark}"} if last == "details" else f"{body[last]}{mark}"
    answer = counter.post(f"/nobody/{act}", body | {last: spoiled})
    assert (answer.status, answer.json["type"]) == (422, "urn:insigne:problem:shape")


@pytest.mark.parametrize("header", [b"Basic Y2xhaXJl\xe9", b"Basic \xc3\xa9", "Basic claire:é".encode("latin-1")])
def test_a_header_that_is_not_ascii_names_nobody(counter, header):
    token = f"Bearer {counter.tokens[Scope.API_WRITE]}"
    headers = {"Authorization": token, "Content-Type": "application/json", "Insigne-As": header}
    answer = counter.send("POST", "/api/v1/identities", b"{}", **headers)
    assert (answer.status, answer.json["type"]) == (401, "urn:insigne:problem:person")


def test_people_whose_search_finds_hundreds_can_still_be_created(counter):
    alike = [at(counter.base, Status.PROV) for _ in range(101)]
    told = counter.create()
    assert (told.status, len(told.json["candidates"]), told.json["found"]) == (409, 50, 101)
    assert counter.create(none_of=alike).status == 201
