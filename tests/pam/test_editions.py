"""Editions as data: what each one says, after the published documents, and which one a message is in."""

import re
from pathlib import Path

import pytest

from insigne.hl7 import Message
from insigne.pam.editions import EDITIONS, NEWEST, UnknownVersion, edition, edition_of
from insigne.pam.editions.grammar import parse_structure
from insigne.pam.findings import catalogue

FRENCH = [key for key in EDITIONS if EDITIONS[key].french]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "editions.md"


def message(version, rest=""):
    return Message.parse(f"MSH|^~\\&|A|B|C|D|20250102||ADT^A28^ADT_A05|1|P|{version}|{rest}\r".encode())


def names(structure):
    return [("-" if slot.forbidden else "") + slot.segment for slot in structure.slots]


def test_french_editions_go_from_2_3_to_2_11_2():
    assert FRENCH == ["2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10.0", "2.10", "2.11.0", "2.11.1", "2.11.2"]


@pytest.mark.parametrize(
    ("asked", "given"), [("2.11", "2.11.2"), ("2.11.1", "2.11.1"), ("2.10.5", "2.10"), ("HL7 2.3.1", "HL7-2.3.1")]
)
def test_an_edition_is_found_by_its_other_names(asked, given):
    assert edition(asked).id == given


def test_an_unknown_edition_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"2\.11\.2"):
        edition("2.12")


@pytest.mark.parametrize(
    ("version", "rest", "expected", "rules"),
    [
        ("2.5^FRA^2.11", "", "2.11.2", []),
        ("2.5^FRA^2.10", "", "2.10", []),
        ("2.5^FRA^2.10.5", "", "2.10", []),
        ("2.5^FRA^2.9", "", "2.9", []),
        ("2.5^FRA^2.99", "", NEWEST, ["V04"]),
        ("2.5^FRA^PAM-2.5", "", NEWEST, ["V04"]),
        ("2.5^FRA", "", NEWEST, ["V04"]),
        ("2.4^FRA^2.11", "", "2.11.2", ["V04"]),
        ("2.5", "", "PAM-2.5", ["V04"]),
        ("2.5^DEU", "", "PAM-2.5", []),
        ("2.3.1", "", "HL7-2.3.1", []),
        ("2.4", "", "HL7-2.4", []),
        ("2.5.1", "", "HL7-2.5.1", []),
    ],
)
def test_msh_12_tells_the_edition(version, rest, expected, rules):
    chosen, findings = edition_of(message(version, rest))
    assert (chosen.id, [finding.rule for finding in findings]) == (expected, rules)


def test_a_bare_version_in_a_french_message_is_a_warning():
    assert edition_of(message("2.5"))[1][0].severity == "info"
    assert edition_of(message("2.5", "||||FRA"))[1][0].severity == "warning"
    assert edition_of(message("2.5", "||||||||2.11^IHE_FRANCE-2.11-PAM"))[1][0].severity == "warning"


@pytest.mark.parametrize("version", ["", "2.6", "2.8.2", "3", "2.5^FRA^2.11"[:0]])
def test_an_hl7_version_without_edition_is_left_to_the_caller(version):
    with pytest.raises(UnknownVersion):
        edition_of(message(version))


def test_a_configured_edition_wins_over_msh_12():
    assert edition_of(message("2.5^FRA^2.11"), "2.11.0")[0].id == "2.11.0"
    chosen, findings = edition_of(message("2.5"), "2.11")
    assert chosen.id == "2.11.2"
    assert [str(finding.location) for finding in findings] == ["MSH-12.2"]


def test_the_events_of_2_11_2_are_those_mandatory_in_france_and_the_options():
    mandatory = "A01 A02 A03 A04 A05 A06 A07 A11 A12 A13 A21 A22 A28 A31 A38 A40 A44 A47 A52 A53 A54 A55 Z99"
    optional = "A09 A10 A14 A15 A16 A24 A25 A26 A27 A32 A33 A37 A49"
    assert set(EDITIONS["2.11.2"].events) == {*mandatory.split(), *optional.split()}


def test_every_event_has_a_structure_and_every_cancellation_cancels_an_event():
    for one in EDITIONS.values():
        assert set(one.structures) - {"ACK"} == set(one.events)
        for event in one.events.values():
            assert event.cancels <= set(one.events)
            assert ("CANCEL" in event.actions) == bool(event.cancels)


def test_every_edition_refers_only_to_what_it_defines():
    primitives = {"ST", "TX", "FT", "IS", "ID", "NM", "SI", "DT", "DTM", "varies"}
    for one in EDITIONS.values():
        for structure in one.structures.values():
            assert {slot.segment for slot in structure.slots} <= set(one.segments), one.id
        for fields in one.segments.values():
            assert {field.type for field in fields.values()} <= set(one.types) | primitives, one.id
        for components in one.types.values():
            assert {component.type for component in components} <= set(one.types) | primitives, one.id
        for key in one.severities:
            rule, _, variant = key.partition(".")
            assert not variant or variant in catalogue()[rule].variants, key


@pytest.mark.parametrize(
    ("segment", "number", "expected"),
    [
        ("MSH", 12, ("VID", 60, "", "R", 1)),
        ("PID", 3, ("CX", 250, "", "R", 0)),
        ("PID", 8, ("IS", 1, "0001", "C", 1)),
        ("PID", 19, ("ST", 16, "", "X", 0)),
        ("PID", 32, ("IS", 20, "0445", "R", 0)),
        ("PID", 38, ("CE", 250, "0429", "O", 2)),
        ("NK1", 33, ("CX", 250, "", "R", 0)),
        ("PV1", 2, ("IS", 1, "0004", "R", 1)),
        ("PV2", 3, ("CE", 250, "", "X", 0)),
        ("ZBE", 1, ("EI", 427, "", "R", 0)),
        ("ZBE", 3, ("TS", 26, "", "X", 0)),
        ("ZBE", 9, ("CWE", 3, "FR-ZBE-9", "R", 1)),
        ("ZFA", 8, ("TS", 26, "", "X", 0)),
        ("ZFA", 11, ("CWE", 3, "FR-ZFA-11", "RE", 1)),
        ("ZFV", 6, ("XAD", 250, "FR-ZFV-6", "O", 2)),
        ("ZFD", 7, ("IS", 16, "FR-ZFD-7", "RE", 1)),
        ("ZFS", 6, ("CWE", 250, "FR-ZFS-6", "R", 1)),
    ],
)
def test_a_field_of_2_11_2_is_that_of_the_document(segment, number, expected):
    field = EDITIONS["2.11.2"].segments[segment][number]
    assert (field.type, field.length, field.table, field.usage, field.most) == expected


def test_an_admission_has_its_segments_in_order():
    assert " ".join(names(EDITIONS["2.11.2"].structures["A01"])) == (
        "MSH SFT EVN PID PD1 ROL NK1 PV1 PV2 ZBE ZFA ZFP ZFV ZFM ZFD ZFS ROL DB1 OBX AL1 DG1 DRG PR1 ROL GT1"
        " IN1 IN2 IN3 ROL ACC UB1 UB2 PDA"
    )


@pytest.mark.parametrize(
    ("key", "table", "without", "then"),
    [
        ("2.11.1", "FR-ZFD-7", {"DC", "AC", "IE"}, "2.11.2"),
        ("2.11.0", "FR-ZFD-7", {"AV"}, "2.11.1"),
        ("2.11.0", "0004", {"V"}, "2.11.1"),
        ("2.11.0", "FR-ZFA-11", {"IC", "INC"}, "2.11.1"),
        ("2.10", "FR-ZFM-1", {"O"}, "2.11.0"),
        ("2.10", "FR-ZFM-3-4", {"8", "9", "U"}, "2.11.0"),
        ("2.10.0", "FR-ZFD-7", {"TC"}, "2.10"),
        ("2.9", "0445", {"FICT", "DOUT"}, "2.10"),
        ("2.9", "0430", {"10", "11"}, "2.10"),
        ("2.9", "FR-ZFM-1", {"N"}, "2.10"),
        ("2.8", "0445", {"INVA"}, "2.9"),
        ("2.7", "0112", {"PSA", "REO"}, "2.8"),
        ("2.4", "FR-ZBE-9", {"C"}, "2.5"),
        ("2.4", "0112", {"B", "S"}, "2.5"),
        ("2.3", "0112", {"A", "P"}, "2.4"),
    ],
)
def test_codes_appear_in_the_edition_that_added_them(key, table, without, then):
    assert not without & EDITIONS[key].tables[table].codes
    assert without <= EDITIONS[then].tables[table].codes


def test_the_sex_o_went_with_2_11():
    assert "O" in EDITIONS["2.10"].tables["0001"].codes
    assert "O" not in EDITIONS["2.11.0"].tables["0001"].codes


@pytest.mark.parametrize(
    ("key", "segment", "number", "usage"),
    [
        ("2.11.1", "PV2", 3, "O"),
        ("2.11.0", "ZFA", 10, "X"),
        ("2.11.0", "NK1", 35, "O"),
        ("2.10", "ZFA", 4, "RE"),
        ("2.9", "PID", 32, "RE"),
        ("2.7", "PID", 31, "CE"),
        ("2.6", "PID", 31, "X"),
        ("2.4", "NK1", 33, "O"),
    ],
)
def test_usages_are_those_of_the_edition(key, segment, number, usage):
    assert EDITIONS[key].segments[segment][number].usage == usage


@pytest.mark.parametrize(
    ("key", "segment", "last"),
    [
        ("2.10", "ZFA", 8),
        ("2.10", "ZFM", 4),
        ("2.9", "ZFD", 3),
        ("2.5", "ZFD", 2),
        ("2.6", "ZFV", 10),
        ("2.3", "ZFV", 7),
    ],
)
def test_french_segments_grow_with_the_editions(key, segment, last):
    assert max(EDITIONS[key].segments[segment]) == last


def test_z80_to_z89_were_events_until_2_6():
    assert "Z80" in EDITIONS["2.6"].events
    assert EDITIONS["2.6"].events["Z81"].cancels == {"Z80"}
    assert "Z80" not in EDITIONS["2.7"].events


def test_no_french_edition_has_a08_and_international_pam_has():
    assert all("A08" not in EDITIONS[key].events for key in FRENCH)
    assert "A08" in EDITIONS["PAM-2.5"].events
    assert "A08" in EDITIONS["HL7-2.3.1"].events


def test_international_pam_has_the_merge_option():
    assert {"A28", "A31", "A40", "A47"} <= set(EDITIONS["PAM-2.5"].events)
    assert EDITIONS["PAM-2.5"].segments["PID"][32].usage == "CE"
    assert "ZFD" not in EDITIONS["PAM-2.5"].segments


def test_each_edition_says_what_it_models_in_both_languages():
    for one in EDITIONS.values():
        assert one.models["en"].endswith(".")
        assert one.models["fr"].endswith(".")
        assert one.models["en"] != one.models["fr"]


def test_the_page_of_editions_says_what_each_models():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for one in EDITIONS.values():
        assert f"### {one.id}\n" in text
        assert one.models["en"] in text
        assert one.models["fr"] in text
    assert re.findall(r"^### (.+)$", text, re.MULTILINE) == list(EDITIONS)


@pytest.mark.parametrize("text", ["MSH EVN", "X: MSH $Q", "X: MSH (PID", "X: msh"])
def test_a_wrong_structure_is_refused(text):
    with pytest.raises(ValueError, match="structure"):
        parse_structure(text, {"H": "MSH"})
