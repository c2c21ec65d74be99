"""`insigne enrol`: an invitation from its making to its use, and its end."""

import json
import re
import zlib
from datetime import UTC, datetime

import lxml.etree
import pytest
import structlog
import zxingcpp
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from insigne.access import Role
from insigne.access.users import User, hash_secret
from insigne.app.base import open_base
from insigne.app.enrolment import enrolment_page
from insigne.cli.qr import QrCode
from insigne.config import load
from insigne.store import open_store
from insigne.store.accounts import StoredUsers
from insigne.web.enrolment import PREFIX

SECRET = "un secret bien long"
PUBLIC = ("--set", "http.public_url=https://insigne.example/")
LINK = re.compile(r"https://insigne\.example/enrol/[A-Za-z0-9_-]{43}")
TRAITS = {
    "birth_name": "Rouvière",
    "first_given_name": "Odette",
    "sex": "F",
    "birth_day": "30",
    "birth_month": "5",
    "birth_year": "1961",
    "birth_country": "Portugal",
    "step": "confirm",
}


@pytest.fixture
def enrol(insigne, site, monkeypatch):
    """Runs `insigne enrol …` as claire, who may invite; `user` is somebody else."""
    monkeypatch.setenv("INSIGNE_SECRET", SECRET)
    secret_hash = hash_secret(SECRET, b"0123456789abcdef")
    store = open_store(site.url, wait=5)
    for name, role in (("claire", Role.ACCUEIL), ("root", Role.ADMINISTRATEUR)):
        StoredUsers(store).add(
            User(id=name, name=name, roles=frozenset({role}), secret_hash=secret_hash, created=datetime.now(UTC))
        )
    store.close()

    def run(*args, user="claire"):
        return insigne("--data", site.folder, "enrol", *args, *(("--as", user) if user else ()))

    return run


@pytest.fixture
def visit(site):
    """Opens a link as a phone would, on the page as the server mounts it."""
    base = open_base(load(None, (), {}, site.folder), wait=5)
    client = TestClient(Starlette(routes=[Mount(PREFIX, enrolment_page(base))]))

    def send(link, data=None):
        path = link.removeprefix("https://insigne.example")
        with structlog.testing.capture_logs():  # stdout is what commands say
            return client.get(path) if data is None else client.post(path, data=data)

    yield send
    base.close()


def listed(enrol):
    return [json.loads(line) for line in enrol("list", "--json").out.splitlines()]


def decoded(png_or_rows):
    return zxingcpp.read_barcode(png_or_rows).text


def raster(png):
    """The pixels of one of our PNG files (one bit a pixel, no filter), read apart from the code that writes them."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    length = int.from_bytes(png[33:37], "big")
    data = zlib.decompress(png[41 : 41 + length])
    stride = width // 8 + 1
    assert len(data) == stride * height
    rows = [data[row * stride + 1 : (row + 1) * stride] for row in range(height)]
    pixels = bytes(255 if byte >> (7 - bit) & 1 else 0 for row in rows for byte in row for bit in range(8))
    return memoryview(pixels).cast("B", (height, width))


def blocks(text):
    """The pixels of a QR code shown as half blocks, dark on light, eight a module."""
    lines = [line for line in text.splitlines() if line and set(line) <= set(" ▀▄█")]
    rows = []
    for line in lines:
        rows.append([0 if mark in "▀█" else 255 for mark in line for _ in range(8)])
        rows.append([0 if mark in "▄█" else 255 for mark in line for _ in range(8)])
    pixels = b"".join(bytes(row) * 8 for row in rows)
    return memoryview(pixels).cast("B", (len(rows) * 8, len(rows[0])))


def test_an_invitation_is_a_link_alone_on_stdout_and_a_code_to_scan(enrol):
    status, out, err = enrol("invite", "--label", "cardiologie", *PUBLIC)
    assert status == 0
    assert LINK.fullmatch(out.strip())
    assert decoded(blocks(err)) == out.strip()
    assert "only time" in err


def test_the_code_goes_to_a_png_file(enrol, tmp_path):
    document = json.loads(enrol("invite", "--qr", tmp_path / "a.png", "--json", *PUBLIC).out)
    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert decoded(raster(png)) == document["url"]


def test_the_code_goes_to_an_svg_file(enrol, tmp_path):
    document = json.loads(enrol("invite", "--qr", tmp_path / "a.svg", "--json", *PUBLIC).out)
    svg = lxml.etree.fromstring((tmp_path / "a.svg").read_bytes())
    size = int(svg.get("viewBox").split()[3])
    pixels = bytearray(b"\xff" * (size * 4) ** 2)
    for x, y in re.findall(r"M([0-9]+) ([0-9]+)h1v1h-1z", svg[1].get("d")):
        for line in range(4):
            start = (int(y) * 4 + line) * size * 4 + int(x) * 4
            pixels[start : start + 4] = b"\0" * 4
    assert decoded(memoryview(bytes(pixels)).cast("B", (size * 4, size * 4))) == document["url"]


def test_the_person_who_opens_the_link_becomes_a_provisional_identity(enrol, visit, insigne, site):
    link = enrol("invite", *PUBLIC).out.strip()
    assert visit(link).status_code == 200
    assert "Merci" in visit(link, TRAITS).text
    assert visit(link).status_code == 404
    [invitation] = listed(enrol)
    assert (invitation["state"], invitation["attempts"]) == ("used", 0)
    patients = insigne("--data", site.folder, "identity", "search", "--birth-date", "1961-05-30", "--json").out
    assert json.loads(patients)["id"] == invitation["identity"]
    history = insigne("--data", site.folder, "identity", "history", "INSIGNE|1", "--json").out.splitlines()
    first = json.loads(history[0])
    assert first["author"] == f"enrolment:{invitation['id']}"
    assert first["cause"] == {"kind": "invitation", "id": invitation["id"]}


def test_links_are_not_shown_again(enrol):
    document = json.loads(enrol("invite", "--label", "cardiologie", "--json", *PUBLIC).out)
    token = document["url"].rpartition("/")[2]
    assert (document["label"], document["author"], document["state"]) == ("cardiologie", "user:claire", "open")
    shown = enrol("list").out + enrol("list", "--json").out
    assert "cardiologie" in shown
    assert token not in shown


def test_an_invitation_lasts_as_long_as_told(enrol):
    document = json.loads(enrol("invite", "--expires", "2d", "--json", *PUBLIC).out)
    lasts = datetime.fromisoformat(document["expires"]) - datetime.fromisoformat(document["created"])
    assert lasts.days == 2
    by_default = json.loads(enrol("invite", "--json", "--set", "enrolment.valid_days=3", *PUBLIC).out)
    lasts = datetime.fromisoformat(by_default["expires"]) - datetime.fromisoformat(by_default["created"])
    assert lasts.days == 3


def test_a_revoked_invitation_opens_nothing(enrol, visit):
    document = json.loads(enrol("invite", "--json", *PUBLIC).out)
    assert enrol("revoke", document["id"]).status == 0
    assert visit(document["url"]).status_code == 404
    assert listed(enrol)[0]["state"] == "expired"
    again = enrol("revoke", document["id"])
    assert (again.status, "expired already" in again.err) == (1, True)


def test_a_used_invitation_stays_used(enrol, visit):
    document = json.loads(enrol("invite", "--json", *PUBLIC).out)
    visit(document["url"], TRAITS)
    assert enrol("revoke", document["id"]).status == 1
    assert listed(enrol)[0]["state"] == "used"


def test_an_unknown_invitation_is_said_to_be(enrol):
    assert enrol("revoke", "01X").status == 1


def test_inviting_is_for_those_who_have_the_right(enrol):
    assert enrol("invite", user="").status == 2
    refused = enrol("invite", user="root")
    assert (refused.status, "enrol" in refused.err) == (2, True)
    assert listed(enrol) == []


def test_without_the_role_ri_nobody_is_enrolled(enrol, site):
    refused = enrol("invite", "--set", 'roles=["consumer"]')
    assert (refused.status, "ri" in refused.err) == (2, True)
    base = open_base(load(None, ('roles=["consumer"]',), {}, site.folder), wait=5)
    assert enrolment_page(base) is None
    base.close()


@pytest.mark.parametrize("wrong", [("--qr", "a.gif"), ("--expires", "yesterday"), ("--set", "http.port=0")])
def test_wrong_use_makes_no_invitation(enrol, wrong):
    assert enrol("invite", *wrong).status == 2
    assert listed(enrol) == []


def test_without_a_public_address_the_link_says_where_it_leads(enrol):
    result = enrol("invite")
    assert result.out.startswith("http://127.0.0.1:8380/enrol/")
    assert "http.public_url" in result.err


def test_making_and_revoking_are_audited(enrol, site):
    document = json.loads(enrol("invite", "--json", *PUBLIC).out)
    enrol("revoke", document["id"])
    store = open_store(site.url)
    with store.read() as view:
        acts = [(entry.author, entry.act, entry.object) for _, entry in view.acts()]
    store.close()
    assert acts[-2:] == [
        ("user:claire", "invitation-created", document["id"]),
        ("user:claire", "invitation-revoked", document["id"]),
    ]


def test_a_code_is_square_with_its_quiet_zone():
    rows = QrCode("https://insigne.example/enrol/" + "A" * 43).rows()
    assert {len(row) for row in rows} == {len(rows)}
    assert not any(any(row) for row in (*rows[:4], *rows[-4:]))


def test_a_site_that_enrols_nobody_invites_nobody_and_serves_no_page(enrol, site):
    off = "enrolment.enabled=false"
    refused = enrol("invite", "--set", off, *PUBLIC)
    assert refused.status == 2
    assert "enrolment.enabled" in refused.err
    assert enrol("list", "--set", off).status == 0
    for settings, served in (((), True), ((off,), False)):
        base = open_base(load(None, settings, {}, site.folder))
        assert (enrolment_page(base) is not None) is served
        base.close()
