import base64
import io
from datetime import UTC, datetime

import pytest
from lxml import etree

from insigne.documents.cda.build import write_cda
from insigne.documents.cda.description import read_description
from insigne.documents.entitlement import NotEntitledError
from insigne.documents.errors import DocumentError
from insigne.ins.cog import bundled_cog
from insigne.registry.values import Address, Details

NS = {"c": "urn:hl7-org:v3"}
DESCRIPTION = """
code = "11490-0"
title = "Lettre de liaison à la sortie"
time = 2026-03-02T10:15:00+01:00
id = "1.2.250.1.999.1.7.42"

[author]
id = "810012345678"
family = "LEROUX"
given = "Anne"
title = "DR"
profession = "G15_10/SM26"
profession_name = "Médecin généraliste"

[author.organization]
id = "1750000001"
name = "CH Exemple"
phone = "01 02 03 04 05"

[event]
start = 2026-02-25T08:00:00+01:00
end = 2026-03-02T09:00:00+01:00
"""


def built(kit, identity=None, text=DESCRIPTION, name="letter.toml", pdf=None):
    out = io.BytesIO()
    description = read_description(name, text.encode())
    source = io.BytesIO(kit.blank_pdf() if pdf is None else pdf)
    write_cda(source, out, identity or kit.person(), description, "test", bundled_cog())
    return etree.fromstring(out.getvalue())


def values(root, path):
    return root.xpath(path, namespaces=NS)


def test_the_pdf_comes_back_byte_for_byte(kit):
    pdf = kit.blank_pdf() + bytes(range(256)) * 700  # longer than a piece, and not a multiple of three
    text = values(built(kit, pdf=pdf), "//c:nonXMLBody/c:text")[0]
    assert text.attrib == {"mediaType": "application/pdf", "representation": "B64"}
    assert base64.b64decode(text.text, validate=True) == pdf


def test_the_patient_has_the_ins_first_then_the_local_number_and_the_five_traits(kit):
    root = built(kit)
    role = values(root, "/c:ClinicalDocument/c:recordTarget/c:patientRole")[0]
    assert [(one.get("root"), one.get("extension")) for one in values(role, "c:id")] == [
        ("1.2.250.1.213.1.4.10", "279035121518989"),
        ("1.2.250.1.999.1", "1234567"),
    ]
    names = [(etree.QName(one).localname, one.get("qualifier"), one.text) for one in values(role, "c:patient/c:name/*")]
    assert names == [
        ("family", "BR", "PAT-TROIS"),
        ("given", None, "DOMINIQUE MARIE-LOUISE"),
        ("given", "BR", "DOMINIQUE"),
    ]
    assert values(role, "string(c:patient/c:administrativeGenderCode/@code)") == "F"
    assert values(role, "string(c:patient/c:birthTime/@value)") == "19790328"
    assert values(role, "string(c:patient/c:birthplace/c:place/c:addr/c:county)") == "51215"


def test_used_names_are_told_apart_from_birth_names_and_an_address_is_given(kit):
    home = Address(use="H", street="1 RUE DES LILAS", postal_code="51300", city="VITRY")
    details = Details(used_name="DURAND", used_given_name="MARIE", addresses=(home,))
    root = built(kit, kit.person(details=details))
    assert values(root, "//c:patient/c:name/*[@qualifier='CL']/text()") == ["DURAND", "MARIE"]
    assert values(root, "//c:patientRole/c:addr/c:city/text()") == ["VITRY"]


def test_the_document_has_one_whole_oid_and_its_first_version(kit):
    root = built(kit)
    assert dict(values(root, "/c:ClinicalDocument/c:id")[0].attrib) == {"root": "1.2.250.1.999.1.7.42"}
    assert dict(values(root, "/c:ClinicalDocument/c:setId")[0].attrib) == {"root": "1.2.250.1.999.1.7.42"}
    assert values(root, "string(/c:ClinicalDocument/c:versionNumber/@value)") == "1"
    assert values(root, "string(/c:ClinicalDocument/c:effectiveTime/@value)") == "20260302101500+0100"
    assert not values(root, "//c:relatedDocument")


def test_a_replacing_version_names_the_one_it_replaces(kit):
    text = 'set_id = "1.2.250.1.999.1.7.42"\nreplaces = "1.2.250.1.999.1.7.42"\nversion = 2\n' + DESCRIPTION
    root = built(kit, text=text.replace('id = "1.2.250.1.999.1.7.42"\n\n', 'id = "1.2.250.1.999.1.7.43"\n\n'))
    related = values(root, "/c:ClinicalDocument/c:relatedDocument")[0]
    assert related.get("typeCode") == "RPLC"
    assert values(related, "c:parentDocument/c:id/@root") == ["1.2.250.1.999.1.7.42"]
    assert values(root, "string(/c:ClinicalDocument/c:id/@root)") == "1.2.250.1.999.1.7.43"


def test_a_description_may_be_json(kit):
    text = (
        '{"code":"34874-8","title":"CR","time":"2026-03-02T10:15:00Z","id":"2.25.7",'
        '"author":{"id":"810012345678","family":"LEROUX","organization":{"id":"1750000001","name":"CH"}}}'
    )
    root = built(kit, text=text, name="x.json")
    assert values(root, "string(/c:ClinicalDocument/c:code/@displayName)") == "CR opératoire"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('code = "11490-0"', "", "code"),
        ("title", "titel", "titel"),
        ("10:15:00+01:00", "10:15:00", "time zone"),
        ('id = "1.2.250.1.999.1.7.42"', 'id = "1.2.250.1.999.1.7.042"', "id"),
        ('id = "1.2.250.1.999.1.7.42"', 'id = "1.2.250^42"', "id"),
        ('code = "11490-0"', 'code = "11490-0"\nreplaces = "1.2.3"', "version"),
        ('code = "11490-0"', 'code = "11490-0"\nversion = 0', "version"),
    ],
)
def test_a_wrong_description_names_the_key(before, after, words):
    with pytest.raises(DocumentError, match=words):
        read_description("letter.toml", DESCRIPTION.replace(before, after, 1).encode())


def test_an_identity_not_qualified_has_no_document(kit):
    for changes in ({"checked": False}, {"ins": None}, {"sex": "I"}):
        with pytest.raises(NotEntitledError):
            built(kit, kit.person(**changes))


def test_what_is_no_pdf_is_not_carried(kit):
    with pytest.raises(DocumentError, match="not a PDF"):
        built(kit, pdf=b"<html/>")


def test_a_text_that_looks_like_markup_stays_text(kit):
    text = DESCRIPTION.replace("Lettre de liaison", "<b>@BODY@ & Cie</b>")
    assert values(built(kit, text=text), "string(/c:ClinicalDocument/c:title)") == "<b>@BODY@ & Cie</b> à la sortie"
    with pytest.raises(DocumentError, match="control character"):
        built(kit, text=DESCRIPTION.replace("Anne", "\\u0001"))


def test_moments_are_written_with_their_zone():
    moment = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert read_description("x.toml", DESCRIPTION.encode()).time == moment
