"""What is read of the header of a document, in its lexical forms, and what is refused of a header that lacks it."""

import io
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from insigne.dmp.wire.cda import measure
from insigne.dmp.wire.header import read_header
from insigne.dmp.wire.lexical import cx, plain, read_cx, utc, xcn, xon
from insigne.dmp.wire.lot import content_type
from insigne.dmp.wire.model import Ins, Person, Structure, WireError

HL7 = "{urn:hl7-org:v3}"


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("20260302101500+0100", "20260302091500"),
        ("20260302001500+0100", "20260301231500"),  # the day before
        ("20260714120000+0200", "20260714100000"),  # summer time
        ("20260302101500-1000", "20260302201500"),  # Polynesia
        ("202603021015+0400", "202603020615"),  # La Réunion, no seconds
        ("2026030210+0100", "202603020900"),
        ("20260302101500.123+0000", "20260302101500"),
        ("20260302", "20260302"),  # a day has no zone
        ("202603", "202603"),
        ("2026", "2026"),
    ],
)
def test_a_local_time_becomes_utc(local, expected):
    assert utc(local) == expected


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2999, 12, 30)),
    st.integers(-12 * 4, 14 * 4),
)
def test_a_converted_time_is_the_same_moment(moment, quarters):
    local = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters)))
    found = utc(local.strftime("%Y%m%d%H%M%S%z"))
    assert datetime.strptime(found, "%Y%m%d%H%M%S").replace(tzinfo=UTC) == local


@pytest.mark.parametrize("text", ["", "20260302101500", "20261302101500+0100", "hier", "2026030210150+0100", "1" * 60])
def test_a_time_that_cannot_be_converted_is_refused(text):
    with pytest.raises(WireError):
        utc(text)


def test_delimiters_of_hl7_never_pass_in_a_name():
    assert plain("CH^EXEMPLE & FILS|x\r\n") == "CH EXEMPLE FILS x"
    assert xcn(Person("8^1", "L&R", "A|B")) == "8 1^L R^A B^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    assert xon(Structure("1750000001", "CH~X")) == "CH X^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750000001"


def test_a_cx_is_read_with_or_without_its_date():
    ins = Ins("279035121518989", "1.2.250.1.213.1.4.10")
    assert read_cx(cx(ins)) == ins
    assert read_cx(cx(ins) + "^^20100907") == ins
    assert read_cx("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^PI") is None
    assert read_cx("x") is None


@pytest.mark.parametrize(
    ("patient_class", "configured", "code", "origin"),
    [
        ("I", "", "03", "message"),
        ("e", "", "07", "message"),
        ("", "", "97", "computed"),
        ("I", "04", "04", "configuration"),
    ],
)
def test_the_activity_follows_from_the_class_of_the_stay(patient_class, configured, code, origin):
    found = content_type(patient_class, configured)
    assert (found.value.code, found.origin) == (code, origin)


NEEDED = (
    "id",
    "code",
    "title",
    "effectiveTime",
    "confidentialityCode",
    "languageCode",
    "author",
    "legalAuthenticator",
    "documentationOf",
)


@pytest.mark.parametrize("name", NEEDED)
def test_a_header_that_lacks_what_the_metadata_need_is_refused_by_name(made, name):
    root = measure(io.BytesIO(made.cda())).root
    root.remove(root.find(f"{HL7}{name}"))
    with pytest.raises(WireError, match=name):
        read_header(root)


def test_an_id_with_an_extension_is_refused(made):
    root = measure(io.BytesIO(made.cda())).root
    root.find(f"{HL7}id").set("extension", "42")
    with pytest.raises(WireError, match="extension"):
        read_header(root)


def test_a_device_may_be_the_author(made):
    root = measure(io.BytesIO(made.cda())).root
    assigned = root.find(f"{HL7}author/{HL7}assignedAuthor")
    assigned.remove(assigned.find(f"{HL7}assignedPerson"))
    device = etree.SubElement(assigned, f"{HL7}assignedAuthoringDevice")
    etree.SubElement(device, f"{HL7}softwareName").text = "Automate de biologie"
    assert read_header(root).authors[0].person.family == "Automate de biologie"


@given(st.data())
def test_whatever_is_taken_from_a_header_it_is_read_or_refused(made, data):
    root = measure(io.BytesIO(made.cda())).root
    for _ in range(data.draw(st.integers(1, 4))):
        element = data.draw(st.sampled_from(list(root.iter(etree.Element))))
        if data.draw(st.booleans()) and element.getparent() is not None:
            element.getparent().remove(element)
        else:
            element.attrib.clear()
            element.text = None
    with suppress(WireError):
        read_header(root)
