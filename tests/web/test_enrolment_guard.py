"""What the page refuses: tokens that open nothing, floods, odd requests, submissions at once; what is never said."""

import asyncio
import threading
from datetime import timedelta

import pytest
import structlog
from starlette.requests import Request

from insigne.access.invitations import MOST_ATTEMPTS
from insigne.exchange.errors import StoreLost
from insigne.net.body import BodyRefused
from insigne.web.body import LARGEST_FORM, read_form

from .conftest import NOW, ODETTE

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def closed(site):
    """A token of each kind that opens nothing."""
    used = site.invite(used=NOW, identity="01X")
    exhausted = site.invite(attempts=MOST_ATTEMPTS)
    expired = site.invite(expires=NOW - timedelta(seconds=1))
    return ["A" * 43, used, expired, exhausted, "short", "é" * 43, "A" * 43 + "/more", "", "..%2Fmetrics"]


def test_every_token_that_opens_nothing_gets_the_same_answer(site, closed):
    client = site.client()
    pages = [client.get(f"/enrol/{token}") for token in closed]
    pages += [client.post(f"/enrol/{token}", data=ODETTE) for token in closed]
    told = {(page.status_code, page.content, tuple(sorted(page.headers.items()))) for page in pages}
    assert len(told) == 1
    assert pages[0].status_code == 404


def test_whatever_the_token_the_base_is_asked_once(site, closed, monkeypatch):
    asked = []
    original = type(site.store).read

    def counted(store):
        asked.append(1)
        return original(store)

    monkeypatch.setattr(site.desk, "_reader", lambda: counted(site.store))
    for token in closed:
        asked.clear()
        site.client().post(f"/enrol/{token}", data=ODETTE)
        assert len(asked) == 1


def test_wrong_entries_end_an_invitation(site, phone):
    for _ in range(MOST_ATTEMPTS):
        site.seconds += 60
        assert phone.send(sex="").status_code == 422
    site.seconds += 60
    assert phone.see().status_code == 404


def test_one_invitation_cannot_be_hammered(site, phone):
    statuses = [phone.see().status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    refused = phone.see()
    assert int(refused.headers["retry-after"]) >= 1
    site.seconds += int(refused.headers["retry-after"])
    assert phone.see().status_code == 200


def test_one_address_cannot_guess_at_leisure(make_site):
    site = make_site(requests_per_minute=5)
    here, elsewhere = site.client(client=("192.0.2.1", 1)), site.client(client=("192.0.2.2", 1))
    assert [here.get(f"/enrol/{'B' * 43}").status_code for _ in range(6)] == [404] * 5 + [429]
    assert elsewhere.get(f"/enrol/{'B' * 43}").status_code == 404


def test_an_ipv6_subscriber_is_one_address(make_site):
    site = make_site(requests_per_minute=1)
    statuses = [
        site.client(client=(host, 1)).get(f"/enrol/{'B' * 43}").status_code
        for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "::ffff:192.0.2.1", "::ffff:192.0.2.2")
    ]
    assert statuses == [404, 429, 404, 404, 404]


def test_behind_a_proxy_of_ours_visitors_are_told_apart(make_site):
    site = make_site(requests_per_minute=1, trusted_proxies=["10.0.0.1"])
    proxied, direct = site.client(client=("10.0.0.1", 1)), site.client(client=("192.0.2.9", 1))

    def get(client, forwarded):
        return client.get(f"/enrol/{'B' * 43}", headers={"x-forwarded-for": forwarded}).status_code

    assert [get(proxied, "192.0.2.1"), get(proxied, "192.0.2.2")] == [404, 404]
    assert get(proxied, "198.51.100.1, 192.0.2.1") == 429, "what the visitor claims before the proxy is not believed"
    assert [get(direct, "203.0.113.1"), get(direct, "203.0.113.2")] == [404, 429], "nor is anybody who is no proxy"


def test_of_two_submissions_at_once_one_wins(site):
    token = site.invite()
    both, statuses = threading.Barrier(2), []

    def submit():
        client = site.client()
        both.wait(10)
        statuses.append(client.post(f"/enrol/{token}", data=ODETTE | {"step": "confirm"}).status_code)

    threads = [threading.Thread(target=submit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 404]
    assert len(site.identities()) == 1
    assert len(site.work()) == 1


def test_an_invitation_used_between_the_look_and_the_write_makes_nobody(site, phone, monkeypatch):
    opened = site.desk.opened

    def opened_then_used(token):
        invitation = opened(token)
        monkeypatch.setattr(site.desk, "opened", opened)
        assert phone.send("confirm").status_code == 200
        return invitation

    monkeypatch.setattr(site.desk, "opened", opened_then_used)
    assert phone.send("confirm", first_given_name="Colombe").status_code == 404
    assert [identity.traits.first_given_name for identity in site.identities()] == ["ODETTE"]


def test_a_base_that_does_not_answer_is_said_in_french_and_costs_nothing(site, phone, monkeypatch):
    def lost(_):
        raise StoreLost("the server cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(site.desk._storage, "begin", lost)
        page = phone.send("confirm")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Rien n’a été enregistré" in page.text
    assert phone.send("confirm").status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"a=" + b"x" * LARGEST_FORM, FORM, 413),
        (b"&".join(b"a%d=1" % n for n in range(60)), FORM, 400),
        (b"birth_name=%FF%FE", FORM, 400),
        ("birth_name=é".encode("latin-1"), FORM, 400),
        (b"{}", {"content-type": "application/json"}, 415),
        (b"", {}, 415),
    ],
)
def test_a_body_that_is_no_form_is_refused_whatever_the_token(site, phone, content, headers, status):
    for token in (phone.token, "A" * 43):
        assert phone.client.post(f"/enrol/{token}", content=content, headers=headers).status_code == status
    assert site.identities() == []


def test_a_body_that_trickles_in_is_not_waited_for():
    async def never():
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", FORM["content-type"].encode())]}
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(read_form(Request(scope, never), seconds=0.01))
    assert refused.value.status == 408


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_in_french(phone, method):
    page = phone.client.request(method, f"/enrol/{phone.token}")
    assert (page.status_code, page.headers["allow"]) == (405, "GET, HEAD, POST")
    assert 'lang="fr"' in page.text


def test_nothing_else_is_opened_by_the_page(site, phone):
    for path in ("/", "/enrol", "/enrolment/x", "/metrics", "/fhir/R4/Patient?birthdate=1961-05-30", "/api/v1/changes"):
        assert phone.client.get(path, headers={"authorization": f"Bearer {phone.token}"}).status_code == 401


def test_neither_token_nor_traits_are_logged(site, phone):
    with structlog.testing.capture_logs() as logs:
        phone.see()
        phone.send(birth_name="")
        phone.send()
        phone.send("confirm")
        phone.send("confirm")
    text = str(logs).lower()
    assert "enrol" in text
    for secret in (phone.token, "rouvi", "odette", "1961", "nanterre", "0639981234", "06 39", "belcastel"):
        assert secret.lower() not in text
