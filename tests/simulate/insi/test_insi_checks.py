"""What is refused before any search, and in which order. No network."""

import pytest

from insigne.insi.wire import read_answer

ZOE = ("ADRUN", "ZOE", "F", "1975-12-31")
SOUND = b"rechercherInsAvecTraitsIdentite"


@pytest.fixture
def tse(service):
    return service()


def asked(tse, written, *, client="INSI-AUTO", replace=(), headers=None, **changes):
    """Post a good call with parts of its bytes replaced; the client would refuse to write most of these."""
    body = written(*ZOE, **changes)
    for old, new in replace:
        assert old in body
        body = body.replace(old, new)
    answer = tse.post(body, client)
    return read_answer(answer.status, answer.body)


def with_traits(tse, written, name="ADRUN", given="ZOE", sex="F", date="1975-12-31", place=""):
    tags = [(b"ADRUN", name), (b">ZOE<", f">{given}<"), (b"<r:Sexe>F<", f"<r:Sexe>{sex}<")]
    tags += [
        (b"1975-12-31", date),
        (b"</r:DateNaissance>", f"</r:DateNaissance><r:LieuNaissance>{place}</r:LieuNaissance>"),
    ]
    return asked(tse, written, replace=[(old, new.encode()) for old, new in tags]).code


@pytest.mark.parametrize("client", ["INSI-AUTO", "INSI-MANU"])
def test_both_common_names_may_call(tse, written, client):
    assert asked(tse, written, client=client).code == "00"


@pytest.mark.parametrize("client", ["", "AUTRE-CN", "insi-auto", "INSI_AUTO", "INSI-AUTO "])
def test_any_other_common_name_is_refused_first_whatever_the_message(tse, client):
    answer = tse.post(b"not even XML", client)
    fault = read_answer(answer.status, answer.body)
    assert (fault.http_status, fault.code, fault.role, fault.kind) == (500, "desir_560", "Sender", "configuration")


@pytest.mark.parametrize("changes", [{"idam": "INCONNU00000"}, {"idam": ""}, {"idam_r": "3"}])
def test_an_unknown_software_is_refused_before_the_criteria_are_looked_at(tse, written, changes):
    fault = asked(tse, written, replace=[(b"<r:Sexe>F<", b"<r:Sexe>X<")], **changes)
    assert (fault.http_status, fault.subcode, fault.code, fault.role) == (500, "siram_100", "desir_550", "Sender")


@pytest.mark.parametrize("sex", ["", "I", "U", "f", "1", "MF"])
def test_sex_is_m_or_f_and_is_looked_at_before_the_other_criteria(tse, written, sex):
    assert with_traits(tse, written, name="adrun", sex=sex) == "insi_24"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "adrun",
        "ÉTÉ",
        "D'ÆION",
        "-ADRUN",
        "A  B",
        "A''B",
        "A' B",
        "A 'B",
        "A---B",
        "A.B",
        "A’B",
        "12",
        "- '",
    ],
)
def test_a_birth_name_of_another_form_is_refused(tse, written, name):
    assert with_traits(tse, written, name=name) == "simu_nom"


@pytest.mark.parametrize("name", ["'ADRUN", "A-B", "A--B", "D'A B'C", "N", "A-B C"])
def test_a_birth_name_of_the_right_form_is_searched(tse, written, name):
    assert with_traits(tse, written, name=name) == "01"


@pytest.mark.parametrize("given", ["", "zoé", "ZOE-", "ZOE'", "-ZOE", "A--B", "A  B", "A' B", "Z0E"])
def test_a_given_name_of_another_form_is_refused(tse, written, given):
    assert with_traits(tse, written, given=given) == "simu_prenom"


@pytest.mark.parametrize("given", ["A-B", "A B", "'A", "A'B"])
def test_a_given_name_of_the_right_form_is_searched(tse, written, given):
    assert with_traits(tse, written, given=given) == "01"


@pytest.mark.parametrize("date", ["", "1975", "19751231", "31/12/1975", "1975-12-3"])
def test_a_date_of_another_shape_is_refused(tse, written, date):
    assert with_traits(tse, written, date=date) == "simu_date"


def test_a_date_that_no_calendar_has_is_searched(tse, written):
    assert with_traits(tse, written, date="1975-15-33") == "01"


@pytest.mark.parametrize(("place", "code"), [("6322", "simu_lieu"), ("2C020", "simu_lieu"), ("CLERMONT", "simu_lieu")])
def test_a_place_that_is_no_cog_code_is_refused(tse, written, place, code):
    assert with_traits(tse, written, place=place) == code


@pytest.mark.parametrize("place", ["63220", "", "2A004", "99100"])
def test_a_cog_code_or_none_is_searched(tse, written, place):
    assert with_traits(tse, written, place=place) in {"00", "01"}


def test_several_elements_of_given_name_find_nobody(tse, written):
    twice = [(b"</r:Prenom>", b"</r:Prenom><r:Prenom>ANNE</r:Prenom>")]
    assert asked(tse, written, replace=twice).code == "01"


@pytest.mark.parametrize("version", ["01_02", "1.0"])
def test_both_versions_seen_of_the_context_are_accepted(tse, written, version):
    assert asked(tse, written, bam_version=version).code == "00"


@pytest.mark.parametrize(
    "replace",
    [
        [(b"<b:COUVERTURE/>", b"")],
        [(b'Version="01_02"', b'Version="02_00"')],
        [(b'Version="01_00"', b"")],
        [(b"urn:siram:bam:ctxbam", b"urn:other")],
    ],
)
def test_header_blocks_that_the_schemas_require_are_required(tse, written, replace):
    assert asked(tse, written, replace=replace).code == "simu_contexte"


def test_security_may_be_absent_empty_or_hold_assertions(tse, written):
    wsse = b"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    assertion = b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0"/>'
    for inside in (b"", assertion):
        block = b'<w:Security xmlns:w="' + wsse + b'">' + inside + b"</w:Security></s:Header>"
        assert asked(tse, written, replace=[(b"</s:Header>", block)]).code == "00"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>',
    ],
    ids=["empty", "no XML", "DTD", "SOAP 1.1", "empty body"],
)
def test_what_is_no_soap_1_2_call_is_refused(tse, body):
    answer = tse.post(body)
    assert read_answer(answer.status, answer.body).code == "simu_message"


def test_an_action_of_another_service_or_of_the_other_operation_is_refused(tse, written):
    assert asked(tse, written, replace=[(SOUND, b"autreOperation")]).code == "simu_message"
    assert asked(tse, written, replace=[(SOUND, b"rechercherInsAvecCarteVitale")]).code == "simu_message"


def test_an_answer_has_no_soap_header_and_the_media_type_of_soap_1_2(tse, written):
    answer = tse.post(written(*ZOE))
    assert b"Header" not in answer.body
    assert answer.content_type.startswith("application/soap+xml")


@pytest.mark.parametrize(
    ("read", "code"),
    [
        ({"holder": "", "individual": ""}, "simu_matricule"),
        ({"holder": "277076322082910"}, "simu_matricule"),
        ({"holder": "2770763220829", "birth_date": "14/07/1977"}, "simu_date"),
        ({"holder": "2770763220829", "birth_rank": "x"}, "simu_rang"),
        ({"holder": "2770763220829", "birth_rank": "0"}, "simu_rang"),
    ],
)
def test_data_that_no_card_holds_are_refused(tse, written_card, read, code):
    body = written_card(holder="2770763220829", birth_date="1977-07-14", birth_rank="1")
    sent = {"holder": "2770763220829", "birth_date": "1977-07-14", "birth_rank": "1"} | read
    body = body.replace(b"<v:NumIdentifiant>2770763220829<", f"<v:NumIdentifiant>{sent['holder']}<".encode())
    body = body.replace(b"<v:DateNaissance>1977-07-14<", f"<v:DateNaissance>{sent['birth_date']}<".encode())
    body = body.replace(b"<v:RangNaissance>1<", f"<v:RangNaissance>{sent['birth_rank']}<".encode())
    answer = tse.post(body, operation="vitale")
    assert read_answer(answer.status, answer.body).code == code
