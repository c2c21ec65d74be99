"""`insigne insi search` and `insigne insi vitale`, as the public contract shapes them."""

import json

import pytest

from insigne.insi.wire import read_request


@pytest.fixture
def run(insigne, site, tmp_path):
    def running(server, command, *options, **changed):
        where = {"--endpoint": server.url, "--ca": site.ca, "--cert": site.cert, "--key": site.key} | changed
        return insigne(
            "--data", tmp_path, "insi", command, *options, *(part for pair in where.items() for part in pair), "--json"
        )

    return running


ISEULT = ("--name", "Bellanger", "--given", "Iseult", "--given", "Marie", "--sex", "f", "--birth-date", "1984-05-07")


def test_an_identity_is_printed_with_the_calls_that_found_it(run, serve, wire):
    status, out, _ = run(serve(wire.none, wire.one), "search", *ISEULT, "--place", "37261")
    assert status == 0
    assert json.loads(out) == {
        "code": "00",
        "ins": {"matricule": "284053726111832", "oid": "1.2.250.1.213.1.4.8"},
        "history": [],
        "traits": {
            "birth_name": "BELLANGER",
            "given_names": ["ISEULT", "MARIE"],
            "sex": "F",
            "birth_date": "1984-05-07",
            "birth_place": "37261",
        },
        "fault": None,
        "attempts": [
            {"given": "ISEULT", "place": None, "code": "01"},
            {"given": "MARIE", "place": None, "code": "00"},
        ],
    }


@pytest.mark.parametrize(("answers", "code", "calls"), [(["none"], "01", 3), (["several"], "02", 3)])
def test_nobody_and_several_people_are_exit_1(run, serve, wire, answers, code, calls):
    status, out, _ = run(serve(*(getattr(wire, one) for one in answers)), "search", *ISEULT, "--place", "37261")
    document = json.loads(out)
    assert (status, document["code"], document["ins"], document["traits"]) == (1, code, None, None)
    assert len(document["attempts"]) == calls


def test_a_fault_is_exit_3_with_its_codes(run, serve, wire):
    status, out, _ = run(serve(wire.technical), "search", *ISEULT)
    document = json.loads(out)
    assert (status, document["code"]) == (3, "fault")
    assert document["fault"]["subcode"] == "siram_40"
    assert document["fault"]["code"] == "insi_102"
    assert document["fault"]["text"] == "Service indisponible, à rejouer plus tard"
    assert document["attempts"] == [{"given": "ISEULT", "place": None, "code": "fault"}]


def test_a_service_that_is_not_there_is_exit_3(run, serve, wire):
    server = serve(wire.one)
    server.close()
    status, out, _ = run(server, "search", *ISEULT)
    assert (status, json.loads(out)["fault"]["code"]) == (3, "unreachable")


def test_history_is_printed_with_its_dates(run, serve, wire):
    past = (
        "<INSHISTO><IdIndividu><NumIdentifiant>1840537261118</NumIdentifiant></IdIndividu>"
        "<OID>1.2.250.1.213.1.4.9</OID><DateDeb>2001-01-01</DateDeb></INSHISTO><TIQ>"
    )
    answer = wire.http(wire.outcome("00", "OK", wire.person().replace("<TIQ>", past)))
    document = json.loads(run(serve(answer), "search", *ISEULT).out)
    assert document["history"] == [
        {"matricule": "1840537261118", "oid": "1.2.250.1.213.1.4.9", "start": "2001-01-01", "end": None}
    ]


def test_traits_insi_would_refuse_are_exit_2_and_call_nobody(run, serve, wire):
    server = serve(wire.one)
    status, out, err = run(server, "search", "--name", "B@", "--given", "A", "--sex", "I", "--birth-date", "1984")
    assert (status, out) == (2, "")
    assert "birth_name: rule character at position 2 ('@')" in err
    assert "sex" in err
    assert "birth_date" in err
    assert server.connections == 0


def test_without_an_address_nothing_is_called(insigne, tmp_path):
    status, _, err = insigne("--data", tmp_path, "insi", "search", *ISEULT)
    assert (status, "insi.endpoint" in err) == (2, True)


def test_the_address_and_the_certificate_may_be_configured(insigne, site, serve, wire, tmp_path):
    server = serve(wire.one)
    file = tmp_path / "insigne.toml"
    file.write_text(
        f'[insi]\nendpoint = "{server.url}"\nidam = "ABCD00000001"\n'
        f'[insi.tls]\nca_file = "{site.ca}"\ncert_file = "{site.cert}"\nkey_file = "{site.key}"\n'
    )
    for _ in range(2):
        assert insigne("--config", file, "--data", tmp_path, "insi", "search", *ISEULT).status == 0
    first, second = (read_request(request.partition(b"\r\n\r\n")[2]).context for request in server.requests)
    assert first.idam == "ABCD00000001"
    assert first.instance == second.instance != ""


def test_a_certificate_that_is_not_there_is_exit_2(run, serve, wire):
    status, _, err = run(serve(wire.one), "search", *ISEULT, **{"--cert": "absent.pem"})
    assert (status, "absent.pem" in err) == (2, True)


def test_an_answer_for_somebody_else_is_pointed_out(run, serve, wire):
    status, _, err = run(serve(wire.http(wire.outcome("00", "OK", wire.person(name="ROUX")))), "search", *ISEULT)
    assert (status, "birth_name" in err, "ROUX" in err) == (0, True, False)


def test_a_card_is_asked_about_by_its_number_with_or_without_key(run, serve, wire):
    server = serve(wire.one)
    status, out, _ = run(server, "vitale", "--holder", "2 56 07 75 056 021 44", "--name", "bellanger", "--rank", "1")
    assert (status, json.loads(out)["ins"]["matricule"], json.loads(out)["attempts"]) == (0, "284053726111832", [])
    data = read_request(server.requests[0].partition(b"\r\n\r\n")[2]).vitale
    assert (data.holder, data.holder_key, data.birth_name, data.birth_rank) == ("2560775056021", "44", "BELLANGER", "1")


def test_a_number_of_another_length_is_exit_2(run, serve, wire):
    status, _, err = run(serve(wire.one), "vitale", "--holder", "25607")
    assert (status, "--holder" in err) == (2, True)


def test_for_a_person_the_result_is_lines_of_text(insigne, site, serve, wire, tmp_path):
    where = ("--endpoint", serve(wire.one).url, "--ca", site.ca, "--cert", site.cert, "--key", site.key)
    out = insigne("--data", tmp_path, "insi", "search", *ISEULT, *where).out
    assert "284053726111832" in out
    assert "BELLANGER, ISEULT MARIE, F, 1984-05-07" in out
