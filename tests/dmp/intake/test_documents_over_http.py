"""`POST /api/v1/documents`."""

import base64
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from insigne.access import Scope, issue
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.documents import METADATA, PATH
from insigne.api.health import Health
from insigne.app.intake import documents_over_http
from insigne.dmp.settings import DmpSettings
from insigne.dmp.settings_intake import IntakeSettings
from insigne.store.tokens import StoredTokens

V1 = "1.2.250.1.999.7.1"
PDF = b"%PDF-1.4\n" + bytes(range(256))
LETTER = {
    "identity": "HOSP|4071",
    "code": "11490-0",
    "title": "Lettre de liaison",
    "time": "2026-03-02T10:15:00+01:00",
    "id": V1,
    "author": {"id": "801234500017", "family": "LEROUX", "organization": {"id": "1140000019", "name": "CH"}},
}


@pytest.fixture
def site(open_pfi):
    """A PFI over HTTP, whose token `dpi` may write documents, `radio` larger ones, `reader` none."""
    settings = IntakeSettings(max_bytes=20_000, large_bytes=3_000_000, large_tokens=("radio",))
    pfi = open_pfi(settings=DmpSettings(intake=settings))
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    tokens = StoredTokens(pfi.store)
    secrets = {}
    scopes = {"dpi": Scope.DOCUMENT_WRITE, "radio": Scope.DOCUMENT_WRITE, "reader": Scope.API_READ}
    for number, (name, scope) in enumerate(scopes.items(), 1):
        secrets[name], token = issue(name, [scope], random_bytes=bytes([number]) * 40, now=now)
        tokens.add(token)
    deps = ApiDeps(
        reader=pfi.store.read,
        tokens=tokens,
        health=Health({}, clock=lambda: 0.0),
        now=lambda: now,
        started=now,
        version="0",
        documents=documents_over_http(pfi.store, pfi.rules),
    )
    client = TestClient(create_app(deps), raise_server_exceptions=False)

    def post(token="dpi", path=PATH, headers=(), **more):
        return client.post(path, headers={"authorization": f"Bearer {secrets[token]}", **dict(headers)}, **more)

    def get(path, token="dpi"):
        return client.get(path, headers={"authorization": f"Bearer {secrets[token]}"})

    return SimpleNamespace(pfi=pfi, post=post, get=get, client=client)


def form(document, metadata=LETTER):
    files = {"document": ("letter.pdf", document, "application/pdf")}
    return {"data": {"metadata": json.dumps(metadata)}, "files": files}


def test_a_form_brings_a_pdf_and_its_description(site):
    answer = site.post(**form(PDF))
    assert answer.status_code == 201, answer.text
    [document] = site.pfi.documents()
    assert answer.json()["document"] == document.id
    assert answer.json()["sendings"][0]["channel"] == "dmp"
    assert (document.source, document.unique_id) == ("http:dpi", V1)
    assert site.pfi.content(document) == PDF


def test_a_cda_is_the_body_and_its_metadata_a_header(site):
    told = base64.b64encode(json.dumps({"identity": "HOSP|4071"}).encode()).decode()
    cda = site.pfi.cda()
    answer = site.post(content=cda, headers={"content-type": "text/xml", METADATA: told})
    assert answer.status_code == 201, answer.text
    assert site.pfi.content(site.pfi.documents()[0]) == cda


def test_a_deletion_is_its_metadata_alone(site):
    site.post(**form(PDF))
    told = {"identity": "HOSP|4071", "sending": {"intent": "delete", "unique_id": V1}}
    assert site.post(json=told).status_code == 201
    assert site.pfi.documents()[-1].parent == V1


def test_the_same_document_again_makes_no_second_one(site):
    first, second = site.post(**form(PDF)), site.post(**form(PDF))
    assert (first.status_code, second.status_code) == (201, 201)
    assert len(site.pfi.documents()) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"identity": "HOSP|9999"}, 404, "document-902"),
        ({"title": ""}, 422, "document-906"),
        ({"colour": "blue"}, 422, "document-906"),
    ],
    ids=["unknown patient", "no title", "unknown key"],
)
def test_what_is_refused_says_why_in_two_languages(site, change, status, code):
    answer = site.post(**form(PDF, {**LETTER, **change}))
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:insigne:problem:{code}")
    assert answer.json()["detail"]
    assert answer.json()["detail_fr"]
    assert site.pfi.documents() == []


def test_another_content_under_the_same_id_is_a_conflict(site):
    site.post(**form(PDF))
    assert site.post(**form(PDF + b"other")).status_code == 409


def test_a_large_document_is_for_the_tokens_that_may(site):
    large = PDF + b"0" * 2_000_000
    assert site.post("dpi", **form(large)).status_code == 413
    assert site.post("radio", **form(large)).status_code == 201
    assert site.pfi.content(site.pfi.documents()[0]) == large
    assert site.post("radio", **form(large + b"0" * 2_000_000)).status_code == 413


def test_a_raw_document_is_bounded_too(site):
    told = base64.b64encode(json.dumps(LETTER).encode()).decode()
    headers = {"content-type": "application/pdf", METADATA: told}
    assert site.post(content=PDF + b"0" * 30_000, headers=headers).status_code == 413


@pytest.mark.parametrize(
    "request_",
    [
        {"content": b"x", "headers": {"content-type": "application/octet-stream"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=z"}},
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": PDF, "headers": {"content-type": "application/pdf", METADATA: "***"}},
        {"content": b"", "headers": {"content-type": "application/pdf", METADATA: "e30="}},
        {"data": {"other": "1"}, "files": {"document": ("a", b"x")}},
    ],
    ids=["media type", "broken form", "broken JSON", "header that is not base64", "empty", "form without metadata"],
)
def test_a_request_that_cannot_be_read_is_refused(site, request_):
    assert site.post(**request_).status_code in (400, 415, 422)
    assert site.pfi.documents() == []


def test_a_token_without_the_scope_sends_nothing(site):
    assert site.post("reader", **form(PDF)).status_code == 403
    assert site.client.post(PATH, **form(PDF)).status_code == 401


def test_the_interface_describes_it(site):
    told = site.get("/api/v1/openapi.json").json()
    post = told["paths"][PATH]["post"]
    assert set(post["requestBody"]["content"]) == {
        "multipart/form-data",
        "application/pdf",
        "text/xml",
        "application/json",
    }
    assert "identity" in told["components"]["schemas"]["DocumentMetadata"]["properties"]
