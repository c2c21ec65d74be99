"""What an invited person meets, from the form to the thanks, and what is kept of it."""

from datetime import timedelta

import pytest

from insigne.ins.status import Status
from insigne.registry.acts import CreateIdentity, PriorSearch
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.source import Source
from insigne.registry.values import Identifier, Telecom

from .conftest import ODETTE, OURS

LOADED = TraitsAssertion("CAZENAVE", "YVES", "YVES", "19490117", "M", "99999")
NEUTRAL = "Ce lien ne peut pas être utilisé"


def test_the_form_asks_for_the_traits(phone, read):
    page = phone.see()
    assert page.status_code == 200
    assert "Nom de naissance" in read(page).text
    assert "Clinique des Tilleuls" in read(page).text
    assert "dpo@tilleuls.example" in read(page).text


def test_what_was_typed_is_shown_again_before_anything_is_kept(phone, read, site):
    text = read(phone.send()).text
    for shown in ("ROUVIERE", "ODETTE PAULE INES", "Féminin", "30 mai 1961", "Nanterre", "(92)", "BELCASTEL"):
        assert shown in text
    assert "Rien n’est encore enregistré" in text
    assert site.identities() == []


def test_confirming_creates_a_provisional_identity(phone, site):
    answer = phone.send("confirm")
    assert answer.status_code == 200
    assert "Merci" in answer.text
    [identity] = site.identities()
    assert identity.status is Status.PROV
    assert identity.ins is None
    traits = identity.traits
    assert (traits.birth_name, traits.first_given_name, traits.given_names) == (
        "ROUVIERE",
        "ODETTE",
        "ODETTE PAULE INES",
    )
    assert (traits.birth_date, traits.sex) == ("19610530", "F")
    assert traits.birth_place == "75050", "Nanterre had that code before 1968"
    assert identity.details.used_name == "BELCASTEL"
    assert identity.details.telecoms == (
        Telecom("PRN", "CP", "0639981234"),
        Telecom("NET", "Internet", "odette@exemple.fr"),
    )
    assert [held.identifier.value for held in identity.identifiers] == ["1"]


def test_a_professional_is_asked_to_verify(phone, site):
    phone.send("confirm")
    [identity] = site.identities()
    [item] = site.work()
    assert (item.kind, item.subjects, item.cause) == ("enrolment-to-verify", (identity.id,), "")


def test_the_history_names_the_invitation_and_the_search_made_before(phone, site):
    phone.send("confirm")
    [identity] = site.identities()
    [invitation] = site.invitations()
    entries = site.history(identity.id)
    assert {entry.author for entry in entries} == {f"enrolment:{invitation.id}"}
    assert (invitation.used, invitation.identity) == (site.now, identity.id)
    [search] = [entry.event for entry in entries if hasattr(entry.event, "criteria")]
    assert dict(search.criteria) == {"birth_date": "1961-05-30", "name": "ROU", "given": "ODE"}
    assert search.found == ()


def test_who_is_already_known_is_for_the_professional_only(site):
    client, shown = site.client(), []
    for token in (site.invite(), site.invite()):
        shown.append([client.post(f"/enrol/{token}", data=ODETTE | {"step": s}).content for s in ("check", "confirm")])
    assert shown[0] == shown[1], "the second person sees what the first saw"
    first, second = site.identities()
    [search] = [entry.event for entry in site.history(second.id) if hasattr(entry.event, "criteria")]
    assert search.found == (first.id,)
    assert [item.cause for item in site.work()] == ["", "possible-duplicate"]


def test_correcting_keeps_what_was_typed(phone, read):
    page = phone.send("correct", birth_name="Rouvière d’Été")
    document = read(page).document
    assert page.status_code == 200
    assert document.get_element_by_id("birth_name").get("value") == "Rouvière d’Été"
    assert document.get_element_by_id("sex-F").get("checked") is not None
    assert read(page).errors == {}


def test_what_is_typed_is_never_taken_for_html(phone, read):
    page = phone.send("correct", birth_name='"><script>alert(1)</script>')
    assert read(page).document.get_element_by_id("birth_name").get("value") == '"><script>alert(1)</script>'
    assert "<script" not in page.text


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"birth_name": ""}, "birth_name", "Saisissez votre nom de naissance."),
        ({"birth_name": "R2D2"}, "birth_name", "« 2 »"),
        ({"first_given_name": "-Odette"}, "first_given_name", "trait d’union"),
        ({"first_given_name": " "}, "first_given_name", "Saisissez votre premier prénom."),
        ({"other_given_names": "Paule_Inès"}, "other_given_names", "« _ »"),
        ({"other_given_names": "Bé " * 40}, "other_given_names", "100 caractères"),
        ({"sex": ""}, "sex", "Indiquez le sexe"),
        ({"sex": "X"}, "sex", "M, F ou I"),
        ({"birth_year": "", "birth_month": "", "birth_day": ""}, "birth_date", "Saisissez au moins l’année"),
        ({"birth_year": "61"}, "birth_date", "en chiffres"),
        ({"birth_month": "mai"}, "birth_date", "en chiffres"),
        ({"birth_month": "13"}, "birth_date", "en chiffres"),
        ({"birth_month": "2"}, "birth_date", "n’existe pas"),
        ({"birth_day": "31", "birth_month": "6"}, "birth_date", "n’existe pas"),
        ({"birth_year": "2027"}, "birth_date", "comprise entre"),
        ({"birth_year": "0000"}, "birth_date", "."),
        ({"birth_town": ""}, "birth_town", "commune de naissance"),
        ({"birth_department": ""}, "birth_department", "numéro du département"),
        ({"birth_department": "Finistère"}, "birth_department", "35, 2A ou 974"),
        ({"birth_country": "Portugal"}, "birth_country", "pas les deux"),
        ({"birth_town": "N" * 61}, "birth_town", "60 caractères"),
        ({"used_name": "Bel@castel"}, "used_name", "« @ »"),
        ({"phone": "chez ma sœur"}, "phone", "numéro de téléphone"),
        ({"email": "odette(at)exemple"}, "email", "adresse électronique"),
        ({"birth_town": "Nan\x00terre"}, "birth_town", "illisible"),
    ],
)
def test_each_mistake_is_told_beside_its_field_in_french(phone, read, site, typed, field, sentence):
    page = phone.send("confirm", **typed)
    assert page.status_code == 422
    assert list(read(page).errors) == [field]
    assert sentence in read(page).errors[field]
    assert site.identities() == []


def test_every_mistake_is_told_at_once_and_the_rest_is_kept(phone, read):
    page = read(phone.send(birth_name="", sex="", phone="?"))
    assert list(page.errors) == ["birth_name", "sex", "phone"]
    assert page.document.get_element_by_id("first_given_name").get("value") == "Odette"
    assert "3 réponses sont à revoir" in page.text


def test_an_unknown_day_is_completed_and_said_to_be(phone, read, site):
    assert "jour inconnu mai 1961" in read(phone.send(birth_day="")).text
    phone.send("confirm", birth_day="")
    [identity] = site.identities("1961-05-01")
    assert identity.details.collection.birth_date_corrected == "Y"


def test_a_place_that_cannot_be_told_is_kept_as_written(phone, site, read):
    assert "précisera ce lieu" in read(phone.send(birth_town="Nulle-Part")).text
    phone.send("confirm", birth_town="Nulle-Part")
    [identity] = site.identities()
    assert (identity.traits.birth_place, identity.details.birth_place_text) == ("99999", "Nulle-Part (92)")


def test_a_person_born_abroad_gives_their_country(phone, site):
    phone.send("confirm", birth_town="Porto", birth_department="", birth_country="portugal")
    [identity] = site.identities()
    assert (identity.traits.birth_place, identity.details.birth_city) == ("99139", "Porto")


def test_a_document_that_tells_neither_sex_is_no_obstacle(phone, site, read):
    assert "Autre mention ou aucune" in read(phone.send(sex="I")).text
    phone.send("confirm", sex="I")
    [identity] = site.identities()
    assert identity.traits.sex == "I"


def test_an_invitation_serves_once(phone, site, read):
    assert phone.send("confirm").status_code == 200
    for page in (phone.see(), phone.send(), phone.send("confirm")):
        assert page.status_code == 404
        assert NEUTRAL in read(page).text
    assert len(site.identities()) == 1


def test_a_local_number_already_given_is_not_given_again(site):
    loaded = CreateIdentity(
        Identifier("PI", OURS, "1"), LOADED, DetailsAssertion(), PriorSearch((("birth_date", "1949-01-17"),), ())
    )
    site.registrar.act(loaded, Source("2026-03-01T08:00:00.000Z", "import", "import", "1"))
    site.client().post(f"/enrol/{site.invite()}", data=ODETTE | {"step": "confirm"})
    [identity] = site.identities()
    assert identity.identifiers[0].identifier.value == "2"


def test_an_invitation_ends_at_its_moment(site, phone):
    site.now += timedelta(days=7) - timedelta(seconds=1)
    assert phone.see().status_code == 200
    site.now += timedelta(seconds=1)
    assert phone.see().status_code == 404
    assert phone.send("confirm").status_code == 404
    assert site.identities() == []
