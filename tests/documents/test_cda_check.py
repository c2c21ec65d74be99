import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigne.documents.cda.build import write_cda
from insigne.documents.cda.check import Checks, check
from insigne.documents.cda.description import read_description
from insigne.documents.cda.findings import RULES
from insigne.ins.cog import bundled_cog

DESCRIPTION = b"""
code = "11490-0"
title = "Lettre de liaison"
time = 2026-03-02T10:15:00+01:00
id = "1.2.250.1.999.1.7.43"
set_id = "1.2.250.1.999.1.7.42"
version = 2
replaces = "1.2.250.1.999.1.7.42"
author = { id = "810012345678", family = "LEROUX", organization = { id = "1750000001", name = "CH" } }
"""
TEST = Checks("test")


@pytest.fixture(scope="module")
def document(kit):
    out = io.BytesIO()
    described = read_description("letter.toml", DESCRIPTION)
    write_cda(io.BytesIO(kit.blank_pdf()), out, kit.person(), described, "test", bundled_cog())
    return out.getvalue()


def rules(document, checks=TEST):
    return [finding.rule for finding in check(document, checks)]


def without(document, pattern):
    changed, count = re.subn(pattern.encode(), b"", document, count=1, flags=re.DOTALL)
    assert count == 1, pattern
    return changed


def altered(document, before, after):
    assert before.encode() in document, before
    return document.replace(before.encode(), after.encode(), 1)


def test_what_we_build_breaks_no_rule(document):
    assert check(document, TEST) == []


INS = '<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/>'


def test_the_four_faults_that_the_official_schematron_lets_pass_are_found(document):
    assert rules(altered(document, INS, "")) == ["C20"]
    assert rules(altered(document, "279035121518989", "279035121518988")) == ["C22"]
    assert rules(altered(document, "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8"), Checks("production")) == []
    assert rules(document, Checks("production")) == ["C23"]  # a test OID in production
    extended = altered(document, 'root="1.2.250.1.999.1.7.43"', 'root="1.2.250.1.999.1.7" extension="43"')
    assert rules(extended) == ["C07"]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ('code="FR"', 'code="US"', "C04"),
        ("1.3.6.1.4.1.19376.1.2.20", "1.3.6.1.4.1.19376.1.2.21", "C05"),
        ('id root="1.2.250.1.999.1.7.43"', 'id root="43"', "C06"),
        ('code="11490-0"', 'code="11493-4"', "C09"),
        ('code="11490-0"', 'code="1"', "C10"),
        ('codeSystem="2.16.840.1.113883.6.1"', 'codeSystem="1.2.3"', "C08"),
        ('value="20260302101500+0100"', 'value="20260302101500"', "C12"),
        ('code="N"', 'code="X"', "C13"),
        ('code="N"', 'code="R"', "C14"),
        ('code="fr-FR"', 'code="en"', "C15"),
        ('versionNumber value="2"', 'versionNumber value="0"', "C16"),
        ('versionNumber value="2"', 'versionNumber value="1"', "C17"),
        ('parentDocument><id root="1.2.250.1.999.1.7.42"', 'parentDocument><id root="1.2.250.1.999.1.7.43"', "C17"),
        ('parentDocument><id root="', 'parentDocument><id extension="7" root="', "C07"),
        (INS, f'<id root="1.2.3" extension="9"/>{INS}', "C21"),
        (INS, f'{INS}<id root="1.2.250.1.213.1.4.9" extension="179035121518989"/>', "C24"),
        ('qualifier="BR"', 'qualifier="SP"', "C26"),
        ('administrativeGenderCode code="F"', 'administrativeGenderCode code="X"', "C27"),
        ('birthTime value="19790328"', 'birthTime value="28/03/1979"', "C12"),
        ("<title>", '<title nullFlavor="UNK">', "C11"),
        ("application/pdf", "application/zip", "C40"),
        ('representation="B64"', 'representation="TXT"', "C40"),
        ("JVBERi", "AAAAAA", "C41"),
    ],
)
def test_each_fault_of_the_header_has_its_rule(document, before, after, rule):
    assert rule in rules(altered(document, before, after))


@pytest.mark.parametrize(
    "pattern",
    [
        "<title>.*?</title>",
        "<setId[^>]*/>",
        "<versionNumber[^>]*/>",
        "<author>.*?</author>",
        "<custodian>.*?</custodian>",
        "<legalAuthenticator>.*?</legalAuthenticator>",
        "<documentationOf>.*?</documentationOf>",
        "<componentOf>.*?</componentOf>",
        "<component><.*?</component>",
    ],
)
def test_a_part_that_must_be_there_is_missed(document, pattern):
    assert "C11" in rules(without(document, pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        '<family qualifier="BR">.*?</family>',
        "<given>.*?</given>",
        '<given qualifier="BR">.*?</given>',
        "<birthTime[^>]*/>",
        "<administrativeGenderCode[^>]*/>",
        "<birthplace>.*?</birthplace>",
    ],
)
def test_an_ins_goes_with_its_five_traits(document, pattern):
    assert rules(without(document, pattern)) == ["C25"]


def test_a_site_may_list_the_types_it_feeds_the_dmp_with(document):
    listed = Checks("test", frozenset({"11490-0", "99999-9"}))
    assert rules(document, listed) == []
    assert rules(altered(document, 'code="11490-0"', 'code="99999-9"'), listed) == []
    assert rules(document, Checks("test", frozenset({"34874-8"}))) == ["C08"]


def against(*identities):
    return Checks("test", holders=lambda ins: identities if ins.matricule == "279035121518989" else ())


def test_the_patient_is_that_of_the_registry(kit, document):
    assert rules(document, against(kit.person())) == []
    assert rules(document, against()) == ["C30"]
    assert rules(document, against(kit.person(checked=False))) == ["C31"]
    for changes in ({"birth_name": "X"}, {"sex": "M"}, {"birth_date": "19790327"}, {"birth_place": "51214"}):
        assert rules(document, against(kit.person(**changes))) == ["C32"]
    assert rules(document, against(kit.person(first_given_name="DOMINIQUE MARIE-LOUISE"))) == ["C32"]
    assert rules(document, against(kit.person(sex="M"), kit.person())) == []  # known by two domains


def test_no_finding_quotes_the_patient(kit, document):
    for checks in (against(kit.person(birth_name="X")), Checks("production")):
        told = repr(check(document, checks))
        assert "PAT-TROIS" not in told
        assert "279035121518989" not in told


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<ClinicalDocument",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hosts">]><a xmlns="urn:hl7-org:v3">&x;</a>',
        b'<!DOCTYPE ClinicalDocument SYSTEM "http://127.0.0.1:1/x.dtd"><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
    ],
)
def test_what_is_not_plain_xml_is_refused_and_fetches_nothing(document):
    assert rules(document) == ["C01"]


def test_another_document_is_not_a_cda():
    assert rules(b"<ClinicalDocument/>") == ["C02"]


def test_an_encoding_other_than_utf_8_is_told(document):
    latin = document.decode().replace("encoding='UTF-8'", "encoding='ISO-8859-1'").encode("latin-1", "replace")
    assert "C03" in rules(latin)


def test_a_large_body_is_not_parsed(document):
    """Beyond ten megabytes, libxml2 refuses a text: ours is cut before, and only where it holds nothing but base64."""
    large = document.replace(b"</text>", b"QUFB" * 5_000_000 + b"</text>")
    assert rules(large) == []
    hidden = document.replace(b"</text>", b"A" * 300 + b"<id/>" + b"A" * 300 + b"</text>")
    assert b"<id/>" in hidden
    assert rules(hidden) == []


@settings(max_examples=150)
@given(st.data())
def test_a_document_altered_anyhow_gives_findings_never_an_exception(document, data):
    changed = bytearray(document)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert all(finding.rule in RULES for finding in check(bytes(changed), TEST))
