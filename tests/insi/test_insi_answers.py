"""Answers as the service, its deviations and its accidents write them. The XML here is written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.insi.wire import (
    CallContext,
    Deviation,
    InsiAnswer,
    InsiFault,
    InsiTraits,
    InsNumber,
    SearchTraits,
    build_answer,
    build_fault,
    build_search,
    read_answer,
)

RESULT = "http://www.cnamts.fr/INSiResultat"
SOAP = "http://www.w3.org/2003/05/soap-envelope"

WITH_HISTORY = f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{SOAP}"><env:Body xmlns:env="{SOAP}">
  <ns2:RESULTAT xmlns:ns2="{RESULT}">
    <ns2:CR><ns2:CodeCR>00</ns2:CodeCR><ns2:LibelleCR>OK</ns2:LibelleCR></ns2:CR>
    <ns2:INDIVIDU>
      <ns2:INSACTIF>
        <ns2:IdIndividu><ns2:NumIdentifiant>184052B033118</ns2:NumIdentifiant><ns2:Cle>07</ns2:Cle></ns2:IdIndividu>
        <ns2:OID>1.2.250.1.213.1.4.8</ns2:OID>
      </ns2:INSACTIF>
      <ns2:INSHISTO>
        <ns2:DateDeb>2019-03-01</ns2:DateDeb><ns2:DateFin>2019-02-28</ns2:DateFin>
        <ns2:IdIndividu><ns2:NumIdentifiant>284052B033118</ns2:NumIdentifiant></ns2:IdIndividu>
        <ns2:OID>1.2.250.1.213.1.4.9</ns2:OID>
      </ns2:INSHISTO>
      <ns2:INSHISTO>
        <ns2:IdIndividu><ns2:NumIdentifiant>184052B033118</ns2:NumIdentifiant><ns2:Cle>07</ns2:Cle></ns2:IdIndividu>
        <ns2:OID>1.2.250.1.213.1.4.8</ns2:OID>
      </ns2:INSHISTO>
      <ns2:TIQ>
        <ns2:NomNaissance>COLONNA D'ISTRIA</ns2:NomNaissance>
        <ns2:ListePrenom>ANGE-MARIE DOMINIQUE</ns2:ListePrenom>
        <ns2:Sexe>M</ns2:Sexe><ns2:DateNaissance>1984-00-31</ns2:DateNaissance>
        <ns2:LieuNaissance>2B033</ns2:LieuNaissance>
      </ns2:TIQ>
    </ns2:INDIVIDU>
  </ns2:RESULTAT>
</env:Body></soap:Envelope>""".encode()


def test_an_identity_is_read_as_returned_history_and_odd_dates_included():
    # D1 (two SOAP prefixes), D3 (dates first), D4 (ends before it begins), D5 (active INS repeated), lunar month 00.
    answer = read_answer(200, WITH_HISTORY)
    active = InsNumber("184052B033118", "07", "1.2.250.1.213.1.4.8")
    assert answer == InsiAnswer(
        "00",
        "OK",
        active,
        (InsNumber("284052B033118", "", "1.2.250.1.213.1.4.9", "", "2019-03-01", "2019-02-28"), active),
        InsiTraits("COLONNA D'ISTRIA", "ANGE-MARIE DOMINIQUE", "", "M", "1984-00-31", "2B033"),
    )
    assert answer.active.matricule == "184052B03311807"


def test_a_key_that_fails_modulo_97_is_returned_as_it_is(wire):
    answer = read_answer(200, wire.outcome("00", "OK", wire.person(number="2840537261118", key="01")))
    assert answer.active.matricule == "284053726111801"


def test_nobody_and_several_people_have_no_identity(wire):
    assert read_answer(200, wire.outcome("01", "Aucune identite trouvee")) == InsiAnswer(
        "01", "Aucune identite trouvee"
    )
    assert read_answer(200, wire.outcome("02", "Plusieurs identites trouvees")).active is None


def test_a_fault_is_told_by_its_codes(wire):
    # D2: `fatal` is no severity of the schema.
    fault = read_answer(500, wire.fault("insi_102", "siram_40", severity="fatal"))
    assert (fault.subcode, fault.code, fault.role, fault.severity) == ("siram_40", "insi_102", "Receiver", "fatal")
    assert (fault.text, fault.detail) == ("Service indisponible, à rejouer plus tard", "échec")
    assert (fault.kind, fault.known, fault.outage) == ("technical", True, False)


def test_a_sentence_in_french_announced_as_english_is_kept():
    body = f"""<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>
      <s:Subcode><s:Value xmlns:x="urn:siram">x:siram_100</s:Value></s:Subcode></s:Code>
      <s:Reason><s:Text xml:lang="en">Logiciel non autorisé</s:Text></s:Reason>
      <s:Detail><Erreur xmlns="urn:siram" code="desir_550" severite="fatale" messageID="uuid:7">inconnu</Erreur>
      </s:Detail></s:Fault></s:Body></s:Envelope>""".encode()
    fault = read_answer(500, body)  # D7 (language), D9 (message id echoed)
    assert fault == InsiFault(
        "desir_550", "siram_100", "Logiciel non autorisé", "inconnu", "fatale", "Sender", 500, "uuid:7"
    )
    assert fault.kind == "configuration"


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        ("insi_101", "siram_40", "technical"),
        ("insi_24", "", "input"),
        ("desir_560", "siram_999", "configuration"),
        ("", "siram_40", "technical"),
        ("insi_999", "siram_100", "configuration"),
    ],
)
def test_known_codes_say_who_can_help(wire, code, subcode, kind):
    assert read_answer(500, wire.fault(code, subcode)).kind == kind


def test_unknown_codes_are_kept_and_technical(wire):
    fault = read_answer(500, wire.fault("insi_777", "siram_888"))
    assert (fault.code, fault.subcode, fault.kind, fault.known) == ("insi_777", "siram_888", "technical", False)


def test_a_fault_without_detail_is_still_a_fault(wire):
    body = wire.soap("<S:Fault><S:Code><S:Value>S:Receiver</S:Value></S:Code></S:Fault>")
    assert read_answer(500, body).code == "Receiver"


def test_an_unknown_business_code_is_a_fault_that_shows_it(wire):
    fault = read_answer(200, wire.outcome("07", "Autre"))
    assert (fault.code, fault.text, fault.kind, fault.outage) == ("07", "Autre", "technical", False)


def test_white_space_around_values_is_not_part_of_them(wire):
    body = wire.outcome("\n 00 ", "OK", wire.person(name="\n  BELLANGER  \n"))
    assert read_answer(200, body).traits.birth_name == "BELLANGER"


BOMB = b'<!DOCTYPE a [<!ENTITY b "%s">]><a>&b;</a>' % (b"x" * 50)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"<html><body>maintenance</body></html>",
        WITH_HISTORY[:900],
        WITH_HISTORY.replace(RESULT.encode(), b"http://www.cnamts.fr/INSiResultat2"),
        WITH_HISTORY.replace(b"2003/05", b"2001/12"),
        BOMB,
        WITH_HISTORY.replace(b"<soap:Env", b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><soap:Env', 1),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + "<a>&b;</a>").encode("utf-16"),
        WITH_HISTORY.replace(b"OK", b"&undeclared;"),
        WITH_HISTORY.replace(b"INSACTIF", b"INSPASSIF"),
        WITH_HISTORY.replace(b"<ns2:OID>", b"<ns2:Oid>").replace(b"</ns2:OID>", b"</ns2:Oid>"),
        WITH_HISTORY.replace(b"CodeCR", b"CodeRC"),
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
    ],
    ids=[
        "empty", "binary", "html", "cut", "other namespace", "other SOAP", "entities", "external DTD", "DTD in UTF-16",
        "undeclared entity", "no active INS", "no OID", "no code", "empty body",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_technical_fault(body):
    fault = read_answer(200, body)
    assert (fault.code, fault.kind, fault.known, fault.outage) == ("malformed", "technical", True, True)


def test_a_huge_answer_is_not_even_parsed():
    fault = read_answer(200, WITH_HISTORY + b" " * 2_000_000)
    assert (fault.code, "bytes" in fault.detail) == ("malformed", True)


def test_an_answer_that_cannot_be_read_is_not_quoted_in_the_fault():
    assert "COLONNA" not in repr(read_answer(200, WITH_HISTORY[:900]))
    assert "COLONNA" not in repr(read_answer(200, WITH_HISTORY.replace(b"</ns2:NomNaissance>", b"</ns2:Autre>")))


@pytest.mark.parametrize(
    ("status", "kind", "outage"),
    [
        (503, "technical", True),
        (502, "technical", True),
        (429, "technical", True),
        (404, "configuration", False),
        (403, "configuration", False),
    ],
)
def test_an_error_of_http_without_soap_is_told_by_its_status(status, kind, outage):
    fault = read_answer(status, b"<html/>")
    assert (fault.code, fault.kind, fault.outage, fault.http_status) == (f"http_{status}", kind, outage, status)


def test_an_identity_under_a_status_of_error_is_not_believed():
    assert read_answer(500, WITH_HISTORY).code == "http_500"


@given(st.binary(max_size=400) | st.tuples(st.integers(0, len(WITH_HISTORY)), st.integers(0, 255)))
def test_no_bytes_whatever_break_the_reader(noise):
    if isinstance(noise, tuple):
        place, byte = noise
        noise = WITH_HISTORY[:place] + bytes([byte]) + WITH_HISTORY[place + 1 :]
    assert isinstance(read_answer(200, noise), InsiAnswer | InsiFault)


ANSWER = InsiAnswer(
    "00",
    "OK",
    InsNumber("2840537261118", "32", "1.2.250.1.213.1.4.8"),
    (InsNumber("1840537261118", "57", "1.2.250.1.213.1.4.8", "", "2001-01-01", "2011-06-30"),),
    InsiTraits("BELLANGER", "ISEULT MARIE", "", "F", "1984-05-07", "37261"),
)


@pytest.mark.parametrize("deviations", [(), *((one,) for one in Deviation), tuple(Deviation)], ids=str)
def test_what_a_server_writes_is_read_with_any_deviation(deviations):
    read = read_answer(200, build_answer(ANSWER, frozenset(deviations)))
    assert (read.code, read.label, read.traits) == ("00", "OK", ANSWER.traits)
    assert read.active.number == ANSWER.active.number
    assert (read.active.key != ANSWER.active.key) == (Deviation.D6 in deviations)
    assert len(read.history) == 1 + (Deviation.D5 in deviations)
    assert (read.history[0].start > read.history[0].end) == (Deviation.D4 in deviations)
    fault = InsiFault("insi_102", "siram_40", "L'échec", "de l'appel", message_id="uuid:1")
    seen = read_answer(500, build_fault(fault, frozenset(deviations)))
    assert (seen.code, seen.subcode, seen.role, seen.kind) == ("insi_102", "siram_40", "Receiver", "technical")
    assert seen.severity == ("fatal" if Deviation.D2 in deviations else "fatale")
    assert seen.message_id == ("uuid:1" if Deviation.D9 in deviations else "")
    assert ("'" in seen.text) == (Deviation.D8 not in deviations)


def test_a_call_is_no_answer():
    call = build_search(SearchTraits("LE GOFF", "MAEL", "M", "1999-12-31"), CallContext("m", "b", "l", "t"))
    assert read_answer(200, call).code == "malformed"
