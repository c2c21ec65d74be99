"""The pages as documents: well formed, labelled, readable, self-contained, and shut to everything else."""

import base64
import hashlib
import re

import lxml.etree
import lxml.html
import pytest

from insigne.access.invitations import MOST_ATTEMPTS


@pytest.fixture
def pages(site, phone):
    """Every page there is, by name."""
    exhausted = site.invite(attempts=MOST_ATTEMPTS)
    return {
        "form": phone.see(),
        "errors": phone.send(birth_name="", sex="", birth_year="", birth_town="", phone="x"),
        "recap": phone.send(),
        "thanks": phone.send("confirm"),
        "closed": phone.client.get(f"/enrol/{exhausted}"),
        "method": phone.client.put("/enrol/x"),
        "unreadable": phone.client.post("/enrol/x", content=b"{}"),
        "too-many": next(
            page for page in (phone.client.get("/enrol/x") for _ in range(100)) if page.status_code == 429
        ),
    }


def documents(pages):
    return {name: lxml.html.document_fromstring(page.text) for name, page in pages.items()}


def test_every_page_is_well_formed_in_french_and_fits_a_phone(pages):
    for name, page in pages.items():
        parser = lxml.etree.HTMLParser(recover=True)
        document = lxml.etree.fromstring(page.text, parser)
        faults = [
            e.message
            for e in parser.error_log
            if not re.search(r"Tag (header|main|details|summary) invalid", e.message)
        ]
        assert faults == [], name
        assert document.get("lang") == "fr"
        assert document.findtext("head/title").strip()
        assert "width=device-width" in document.find("head/meta[@name='viewport']").get("content")
        assert len(document.findall(".//h1")) == 1
        assert len(document.findall(".//main")) == 1


def test_every_id_is_used_once_and_every_reference_leads_somewhere(pages):
    for name, document in documents(pages).items():
        ids = [node.get("id") for node in document.iter() if node.get("id")]
        assert len(ids) == len(set(ids)), name
        wanted = {word for node in document.iter() for word in (node.get("aria-describedby") or "").split()}
        wanted |= {node.get("for") for node in document.iter("label")}
        wanted |= {link.get("href").removeprefix("#") for link in document.iter("a")}
        assert wanted <= set(ids), name


def test_every_field_has_a_label(pages):
    for name, document in documents(pages).items():
        labelled = {node.get("for") for node in document.iter("label") if node.text_content().strip()}
        fields = [node for node in document.iter("input") if node.get("type") != "hidden"]
        assert {node.get("id") for node in fields} <= labelled, name
        assert all(node.find("legend") is not None for node in document.iter("fieldset"))


def test_nothing_is_chosen_in_advance(pages):
    form = documents(pages)["form"]
    assert [
        node
        for node in form.iter("input")
        if node.get("checked") is not None or node.get("value") not in ("", "F", "M", "I")
    ] == []


def test_errors_are_announced_and_tied_to_their_fields(pages):
    document = documents(pages)["errors"]
    assert document.findtext("head/title").startswith("Erreur")
    [summary] = document.find_class("summary")
    assert summary.get("role") == "alert"
    assert {link.get("href") for link in summary.iter("a")} == {
        "#birth_name",
        "#sex-F",
        "#birth_day",
        "#birth_town",
        "#phone",
    }
    field = document.get_element_by_id("birth_name")
    assert field.get("aria-invalid") == "true"
    assert "birth_name-error" in field.get("aria-describedby").split()
    right = document.get_element_by_id("first_given_name")
    assert right.get("aria-invalid") is None


def test_fields_say_what_they_are_for_to_the_phone(pages):
    form = documents(pages)["form"]
    purposes = {node.get("name"): node.get("autocomplete") for node in form.iter("input") if node.get("autocomplete")}
    assert purposes == {
        "first_given_name": "given-name",
        "other_given_names": "additional-name",
        "birth_day": "bday-day",
        "birth_month": "bday-month",
        "birth_year": "bday-year",
        "used_name": "family-name",
        "phone": "tel",
        "email": "email",
    }


def test_the_recapitulation_sends_what_it_shows(pages):
    [form] = documents(pages)["recap"].forms
    fields = dict(form.form_values())
    assert (fields["birth_name"], fields["birth_town"], fields["email"]) == (
        "Rouvière",
        "Nanterre",
        "odette@exemple.fr",
    )
    buttons = {node.get("value"): node.text_content() for node in form.iter("button")}
    assert buttons == {"confirm": "Confirmer et envoyer", "correct": "Corriger"}


def test_a_page_loads_nothing_and_runs_nothing(pages):
    for name, document in documents(pages).items():
        for tag in ("script", "link", "img", "iframe", "object", "embed", "audio", "video", "base", "datalist"):
            assert list(document.iter(tag)) == [], name
        attributes = {key for node in document.iter(lxml.etree.Element) for key in node.attrib}
        assert not [
            key for key in attributes if key.startswith("on") or key in ("style", "src", "action", "formaction")
        ]


def test_every_answer_is_shut(pages):
    for name, page in pages.items():
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert policy == {
            "default-src": "'none'",
            "style-src": f"'sha256-{digest}'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }, name
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in page.headers


@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [
        ("ink", "paper", 4.5),
        ("quiet", "paper", 4.5),
        ("wrong", "paper", 4.5),
        ("wrong", "wrong-paper", 4.5),
        ("ink", "wrong-paper", 4.5),
        ("accent", "paper", 4.5),
        ("accent-ink", "accent", 4.5),
        ("edge", "paper", 3.0),
    ],
)
def test_colours_are_told_apart(phone, ink, paper, least):
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", phone.see().text))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
