"""`insigne destination preview`: the last events under a planned configuration, beside the present one."""

import json

import pytest

from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.exchange.model import Peer, Received
from insigne.hl7 import Message
from insigne.store import upgrade

CONFIG = """
[[authorities]]
name = "GAM"
oid = "1.2.250.1.999.1"
trusted = true
[[destinations]]
name = "LABO"
mllp = { host = "127.0.0.1", port = 1 }
"""


def adt(trigger, number, name="BÉRANGER", control="G1", mrg=""):
    structure = "ADT_A39" if trigger == "A40" else "ADT_A05"
    tail = f"MRG|{mrg}^^^GAM&1.2.250.1.999.1&ISO^PI\r" if mrg else "PV1||N\r"
    return (
        f"MSH|^~\\&|GAM|CHU|INSIGNE|GHT|20260301083000+0100||ADT^{trigger}^{structure}|{control}|P|2.5^FRA^2.11"
        f"|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\r"
        f"PID|||{number}^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAELLE^MAELLE^^^^L||19810412|F|||"
        f"12 RUE DES ACACIAS^^NANTES^^44000^FRA^H~^^^^^FRA^BDL^^29019||||||||||||||||||||N|PROV\r{tail}"
    ).encode()


@pytest.fixture
def site(tmp_path):
    file = tmp_path / "insigne.toml"
    file.write_text(CONFIG, encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(load(file, (), {}, tmp_path), wait=5.0)
    for number, raw in enumerate(
        [adt("A28", "1"), adt("A28", "2"), adt("A31", "1", "MARŢIN"), adt("A40", "1", mrg="2")]
    ):
        message = raw.replace(b"|G1|", f"|G{number}|".encode())
        [answer] = base.intake.process([Received(message, Peer("GAM", "mllp"), rfc3339_now())])
        assert answer.code == "AA"
    yield tmp_path
    base.close()


@pytest.fixture
def preview(insigne, site):
    def run(*arguments, status=0):
        result = insigne(
            "--config", site / "insigne.toml", "--data", site, "destination", "preview", *arguments, "--json"
        )  # fmt: skip
        assert result.status == status, result.err
        return json.loads(result.out.splitlines()[-1]) if result.out else result.err

    return run


def rows(site):
    base = open_base(load(site / "insigne.toml", (), {}, site))
    try:
        with base.store.read() as view:
            return [(row.id, row.state) for row in view.outbox()]
    finally:
        base.close()


def test_a_dropped_field_is_the_only_difference_shown_and_nothing_is_queued(preview, site):
    before = rows(site)
    told = preview("LABO", "--change", 'subscription.rules=[{action="drop", path="PID-11.1"}]')
    assert told["events"] == 4
    assert set(told["differences"]) == {"PID-11"}
    [first, *_] = told["changes"]
    assert (first["event"], first["change"]) == ("A28", "different")
    [difference] = first["differences"]
    assert difference["today"].startswith("12 RUE DES ACACIAS^")
    assert difference["planned"].startswith("^^NANTES^")
    assert rows(site) == before


def test_each_event_is_told_as_of_its_moment(preview):
    told = preview("LABO", "--change", "subscription.application=NEW")
    names = [Message.parse(change["planned"]["raw"].encode()).value("PID-5.1") for change in told["changes"]]
    assert names == ["BÉRANGER", "BÉRANGER", "MARŢIN", "MARŢIN"]
    assert [change["event"] for change in told["changes"]] == ["A28", "A28", "A31", "A40"]


def test_what_would_be_held_is_told_with_what_to_do_and_is_a_problem(preview):
    told = preview(
        "LABO", "--change", "subscription.charset=iso8859-1", "--change", "subscription.events=['A28', 'A31']", status=1
    )
    assert told["summary"] == {"different": 2, "sent to held": 2}
    held = [change for change in told["changes"] if change["change"] == "sent to held"]
    assert [change["planned"]["reason"] for change in held] == ["charset", "unsupported"]
    assert "LABO" in held[1]["planned"]["message_fr"]


def test_an_edition_written_as_a_number_is_taken_as_its_name(preview):
    told = preview("LABO", "--change", "subscription.edition=2.9", "--last", "1")
    assert told["events"] == 1
    assert "MSH-12" in told["differences"]


def test_a_configuration_that_changes_nothing_shows_nothing(preview, site):
    told = preview("LABO", "--new", site / "insigne.toml")
    assert (told["summary"], told["changes"]) == ({"same": 4}, [])


def test_a_receiver_to_come_is_told_all_that_is_new(preview, site):
    (site / "new.toml").write_text(CONFIG.replace("LABO", "DPI"), encoding="utf-8")
    told = preview("DPI", "--new", site / "new.toml")
    assert told["summary"] == {"nothing to sent": 4}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("LABO",), 2, "--change"),
        (("LABO", "--change", "subscription.edition"), 2, "no value"),
        (("LABO", "--change", "subscription.editon=2.5"), 2, "editon"),
        (("LABO", "--change", "subscription.edition=9.9"), 2, "9.9"),
        (("NOBODY", "--change", "subscription.edition=2.5"), 1, "NOBODY"),
    ],
)
def test_wrong_use_says_what_is_wrong(preview, arguments, status, said):
    assert said in preview(*arguments, status=status)


def test_lines_for_a_person_show_fields_and_counts(insigne, site):
    result = insigne(
        "--config", site / "insigne.toml", "--data", site, "destination", "preview", "LABO",
        "--change", "subscription.charset=iso8859-1",
    )  # fmt: skip
    assert "4 events: 2 different, 2 sent to held" in result.out
    assert "MSH-18: UNICODE UTF-8 -> 8859/1" in result.out
    assert "charset: " in result.out
