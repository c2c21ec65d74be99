"""The bytes of a call, read back by another XML parser, and what is never written."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.insi.wire import (
    ACTIONS,
    CallContext,
    SearchTraits,
    VitaleData,
    WireError,
    build_search,
    build_vitale,
    content_type,
    read_request,
)

SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
WSA = "{http://www.w3.org/2005/08/addressing}"
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
BAM, LPS = "{urn:siram:bam:ctxbam}", "{urn:siram:lps:ctxlps}"
SEARCH, VITALE = "{http://www.cnamts.fr/INSiRecSans}", "{http://www.cnamts.fr/INSiRecVit}"

CONTEXT = CallContext(
    message_id="6d0b2f7e-0000-4000-8000-00000000000a",
    bam_id="6d0b2f7e-0000-4000-8000-00000000000b",
    lps_id="6d0b2f7e-0000-4000-8000-00000000000c",
    time="2026-01-15T08:30:00.000Z",
    emitter="10B0000001",
    idam="ABCD00000001",
    lps_name="urn:lps:insigne:1.2.3",
    lps_version="1.2.3",
    instance="6d0b2f7e-0000-4000-8000-00000000000d",
)
ISEULT = SearchTraits("D'AUBIGNÉ & FILS", "ISEULT", "F", "1984-05-07", "37261")


def parts(call):
    envelope = ET.fromstring(call)
    assert envelope.tag == f"{SOAP}Envelope"
    header, body = envelope
    return {block.tag: block for block in header}, body[0]


def content(element):
    return [(child.tag.rpartition("}")[2], child.text) for child in element]


def test_a_search_names_its_action_and_its_own_message():
    headers, _ = parts(build_search(ISEULT, CONTEXT))
    assert headers[f"{WSA}Action"].text == "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
    assert headers[f"{WSA}MessageID"].text == "uuid:6d0b2f7e-0000-4000-8000-00000000000a"
    assert content_type("search") == f'application/soap+xml; charset=utf-8; action="{ACTIONS["search"]}"'


def test_a_search_carries_the_traits_in_the_order_of_the_schema():
    _, body = parts(build_search(ISEULT, CONTEXT))
    assert body.tag == f"{SEARCH}RECSANSVITALE"
    assert content(body) == [
        ("NomNaissance", "D'AUBIGNÉ & FILS"),
        ("Prenom", "ISEULT"),
        ("Sexe", "F"),
        ("DateNaissance", "1984-05-07"),
        ("LieuNaissance", "37261"),
    ]


def test_an_unknown_birthplace_is_not_written():
    _, body = parts(build_search(SearchTraits("LE GOFF", "MAEL", "M", "1999-12-31"), CONTEXT))
    assert body.find(f"{SEARCH}LieuNaissance") is None


def test_the_contexts_say_who_calls_with_which_software():
    headers, _ = parts(build_search(ISEULT, CONTEXT))
    bam, lps = headers[f"{BAM}ContexteBAM"], headers[f"{LPS}ContexteLPS"]
    assert (bam.get("Version"), bam.get("Nature")) == ("01_02", "CTXBAM")
    assert (lps.get("Version"), lps.get("Nature")) == ("01_00", "CTXLPS")
    assert [child.tag for child in bam] == [f"{BAM}{name}" for name in ("Id", "Temps", "Emetteur", "COUVERTURE")]
    assert [child.tag for child in lps] == [f"{LPS}{name}" for name in ("Id", "Temps", "Emetteur", "LPS")]
    assert content(lps.find(f"{LPS}LPS")) == [
        ("IDAM", "ABCD00000001"),
        ("Version", "1.2.3"),
        ("Instance", "6d0b2f7e-0000-4000-8000-00000000000d"),
        ("Nom", "urn:lps:insigne:1.2.3"),
    ]
    assert lps.find(f"{LPS}LPS/{LPS}IDAM").get("R") == "4"
    assert bam.find(f"{BAM}Temps").text == lps.find(f"{LPS}Temps").text == "2026-01-15T08:30:00.000Z"


def test_the_coverage_of_a_search_is_there_and_empty():
    headers, _ = parts(build_search(ISEULT, CONTEXT))
    coverage = headers[f"{BAM}ContexteBAM"].find(f"{BAM}COUVERTURE")
    assert (len(coverage), coverage.text) == (0, None)


def test_with_the_organisation_certificate_alone_there_is_no_security_header():
    headers, _ = parts(build_search(ISEULT, CONTEXT))
    assert f"{WSSE}Security" not in headers


def test_assertions_go_in_the_security_header_byte_for_byte():
    assertion = (
        '<x:Assertion xmlns:x="urn:oasis:names:tc:SAML:2.0:assertion"  ID="_1"><x:Id>é</x:Id></x:Assertion>'.encode()
    )
    context = CallContext("m", "b", "l", "t", security="assertion_ps", assertions=(assertion, assertion))
    call = build_search(ISEULT, context)
    assert call.count(assertion) == 2
    headers, _ = parts(call)
    assert [child.tag for child in headers[f"{WSSE}Security"]] == [
        "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
    ] * 2


def test_a_missing_assertion_is_noticed_before_sending():
    with pytest.raises(WireError, match="assertion_ps"):
        build_search(ISEULT, CallContext("m", "b", "l", "t", security="assertion_ps"))


def test_a_call_by_card_carries_both_numbers_and_repeats_them_as_coverage():
    data = VitaleData("2560775056021", "1840537261118", "44", "89", "BELLANGER", "1984-05-07", "1")
    headers, body = parts(build_vitale(data, CONTEXT))
    assert headers[f"{WSA}Action"].text == "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale"
    assert [child.tag for child in body] == [
        f"{VITALE}{name}"
        for name in ("MatriculeIndividu", "MatriculeOD", "NomNaissance", "DateNaissance", "RangNaissance")
    ]
    assert content(body[0]) == [("NumIdentifiant", "1840537261118"), ("Cle", "89")]
    assert content(body[1]) == [("NumIdentifiant", "2560775056021"), ("Cle", "44")]
    coverage = headers[f"{BAM}ContexteBAM"].find(f"{BAM}COUVERTURE")
    assert content(coverage.find(f"{BAM}ASSURE/{BAM}Id")) == [("Num", "2560775056021"), ("Cle", "44")]
    assert content(coverage.find(f"{BAM}BENEFICIAIRE/{BAM}Nir")) == [("Num", "1840537261118"), ("Cle", "89")]
    assert [child.tag for child in coverage[1]] == [f"{BAM}{name}" for name in ("Nir", "DateNai", "Rang")]


def test_a_card_may_hold_the_number_of_the_insured_alone():
    headers, body = parts(build_vitale(VitaleData("2560775056021"), CONTEXT))
    assert [child.tag for child in body] == [f"{VITALE}MatriculeOD"]
    assert len(headers[f"{BAM}ContexteBAM"].find(f"{BAM}COUVERTURE")) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"birth_name": ""}, "birth name"),
        ({"given_name": ""}, "given name"),
        ({"sex": "I"}, "sex"),
        ({"birth_date": "19840507"}, "birth_date"),
        ({"birth_date": "1984-05"}, "birth_date"),
        ({"birth_place": "3726"}, "birth_place"),
        ({"birth_place": "TOURS"}, "birth_place"),
        ({"birth_name": "BELL\x00ANGER"}, "control"),
    ],
)
def test_a_search_that_no_schema_allows_is_not_written(changed, said):
    traits = {"birth_name": "BELLANGER", "given_name": "ISEULT", "sex": "F", "birth_date": "1984-05-07"} | changed
    with pytest.raises(WireError, match=said) as refused:
        build_search(SearchTraits(**traits), CONTEXT)
    assert "BELL" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        VitaleData(""),
        VitaleData("256077505602144"),
        VitaleData("2560775056021", "18405"),
        VitaleData("2560775056021", holder_key="4"),
    ],
)
def test_a_number_of_another_shape_is_not_written(data):
    with pytest.raises(WireError):
        build_vitale(data, CONTEXT)


TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1).map(str.strip).filter(bool)
)


@given(name=TEXT, given_name=TEXT, emitter=TEXT)
def test_whatever_a_value_holds_it_is_read_as_it_was_written(name, given_name, emitter):
    traits = SearchTraits(name, given_name, "M", "1999-12-31", "2B033")
    request = read_request(build_search(traits, CallContext("m", "b", "l", "t", emitter=emitter, idam=name)))
    assert request.traits == traits
    assert (request.context.emitter, request.context.idam) == (emitter, name)
    assert (request.operation, request.body, request.security, request.covered) == (
        "search",
        "RECSANSVITALE",
        "absent",
        True,
    )


def test_a_server_reads_a_call_by_card():
    data = VitaleData("2560775056021", "1840537261118", "44", "89", "BELLANGER", "1984-05-07", "1")
    request = read_request(build_vitale(data, CONTEXT))
    assert (request.operation, request.vitale, request.context) == ("vitale", data, CONTEXT)


def test_a_server_routes_by_content_type_when_there_is_no_action_header():
    call = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans">'
        b"<Prenom>A</Prenom><Prenom>B</Prenom></RECSANSVITALE></e:Body></e:Envelope>"
    )
    request = read_request(call, ACTIONS["search"])
    assert (request.operation, request.given_names, request.covered) == ("search", ("A", "B"), False)
    assert request.context.message_id == ""
    assert read_request(call, "urn:other").operation is None


@pytest.mark.parametrize(
    "call", [b"", b"<a/>", b"<Envelope/>", b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"/>']
)
def test_a_server_refuses_what_is_no_soap_envelope(call):
    with pytest.raises(WireError):
        read_request(call)


def test_an_empty_security_header_is_told_from_an_absent_one():
    empty = build_search(ISEULT, CONTEXT).replace(
        b"<s:Header>", f'<s:Header><w:Security xmlns:w="{WSSE[1:-1]}"/>'.encode()
    )
    assert read_request(empty).security == "empty"
