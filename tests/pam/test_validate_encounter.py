"""What the validator says of movement messages (ITI-31), of feeds without a profile and of acknowledgements."""

import pytest

from insigne.hl7 import Message
from insigne.pam.editions import edition_of
from insigne.pam.validate import validate

HOUSE = "CHU-LYS&1.2.250.1.999.1&ISO"
WARD = f"CHIRURGIE^^^^^{HOUSE}^UF^^^6268"
#: An admission, as raw fields by number; segments in the order sent.
ADMISSION = {
    "MSH": {2: "^~\\&", 3: "GAM", 4: "CHU-LYS", 5: "DPI", 6: "CHU-LYS", 7: "20250102101112", 9: "ADT^A01^ADT_A01"}
    | {10: "MSG0000001", 11: "P", 12: "2.5^FRA^2.11", 17: "FRA", 18: "UNICODE UTF-8", 19: "FR"},
    "EVN": {2: "20250102101112"},
    "PID": {1: "1", 3: f"100200300^^^{HOUSE}^PI", 5: "VALBERTIN^MAELYS^MAELYS ODILE^^Mme^^L", 7: "19850612", 8: "F"}
    | {18: f"25000001^^^{HOUSE}^AN", 32: "PROV"},
    "PV1": {2: "I", 3: "4012^212^A", 4: "R", 19: f"V25000001^^^{HOUSE}^VN", 21: "03"},
    "PV2": {2: "CP", 8: "20250102", 9: "20250109"},
    "ZBE": {1: "312^CHU-LYS^1.2.250.1.999.1^ISO", 2: "20250102100000", 4: "INSERT", 5: "N", 7: WARD, 8: WARD, 9: "HMS"},
    "ZFP": {1: "4", 2: "52"},
    "ZFM": {1: "8", 3: "5"},
    "ZFD": {3: "Y", 4: "N", 5: "SM"},
    "ROL": {2: "UC", 3: "RP", 4: "10001234567^MOREL^PAUL^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"},
    "OBX": {1: "1", 2: "NM", 3: "3142-7^Poids^LN", 5: "72", 6: "kg", 11: "F", 14: "20250102", 16: "10001234567^MOREL"},
    "PR1": {1: "1", 3: "HAAA001^^CCAM", 5: "20250102"},
    "IN1": {1: "1", 2: "AMO", 3: f"999^^^{HOUSE}", 16: "DUBOIS^ALIX^^^^^L", 17: "SEL"},
    "ACC": {1: "20250102", 2: "D"},
}
AFTER_ZBE = ("ZFP", "ZFM", "ZFD", "ROL", "OBX", "PR1", "IN1", "ACC")


def build(event="A01", structure="ADT_A01", *, drop=(), base=ADMISSION, **changes):
    """Write a message; `PV1_3="x"` replaces a field, `add_PV2` none: segments named in `drop` are left out."""
    segments = {name: dict(fields) for name, fields in base.items() if name not in drop}
    segments["MSH"][9] = f"ADT^{event}^{structure}" if structure else f"ADT^{event}"
    for path, value in changes.items():
        name, number = path.split("_")
        segments.setdefault(name, {})[int(number)] = value
    return "".join(f"{write(name, fields)}\r" for name, fields in segments.items())


def write(name, fields):
    first = 2 if name == "MSH" else 1
    values = [fields.get(number, "") for number in range(first, max(fields, default=0) + 1)]
    return "|".join([name, *values])


def found(text, edition=None):
    message = Message.parse(text.encode())
    chosen, findings = edition_of(message, edition)
    return [*findings, *validate(message, chosen)]


def said(text, edition=None):
    return {(one.rule, one.severity, str(one.location or "")) for one in found(text, edition)}


def transfer(**changes):
    return build("A02", "ADT_A02", drop=("ZFP", "ZFM", "PR1", "IN1", "ACC"), **{"PV1_6": "4011^1^B", **changes})


def cancellation(event, structure, origin, **changes):
    return build(event, structure, drop=AFTER_ZBE, **{"ZBE_4": "CANCEL", "ZBE_6": origin, **changes})


def test_a_conforming_admission_with_observations_and_insurance_draws_nothing():
    assert found(build()) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("PV1_3", "^212^A", ("V18", "error", "PV1-3.1")),
        ("PV1_3", "", ("V18", "error", "PV1-3.1")),
        ("PID_18", "", ("V17", "error", "PID-18")),
        ("PV1_19", "", ("V17", "error", "PV1-19")),
        ("PV1_2", "N", ("V16", "warning", "PV1-2")),
        ("PV1_2", "X", ("F-table", "error", "PV1-2")),
        ("ZBE_3", "20250109", ("V09", "warning", "ZBE-3")),
        ("ZBE_4", "UPDATE", ("V19", "error", "ZBE-4")),
        ("ZBE_4", "", ("F-required", "error", "ZBE-4")),
        ("ZBE_5", "", ("F-required", "error", "ZBE-5")),
        ("ZBE_9", "XYZ", ("V19", "error", "ZBE-9")),
        ("ZBE_9", "C", ("V19", "error", "ZBE-9")),
        ("ZBE_9", "", ("F-required", "error", "ZBE-9")),
        ("ZBE_10", "HMS", ("F-extra", "warning", "ZBE-10")),
        ("ZBE_1", f"312^^^{HOUSE}^PI", ("V19", "error", "ZBE-1[1]")),
        ("ZBE_1", "312^CHU-LYS^1.2.250.1.999.1", ("V19", "info", "ZBE-1[1]")),
        ("ZBE_1", "", ("F-required", "error", "ZBE-1")),
        ("ZFM_1", "9", ("V21", "warning", "ZFM-1")),
        ("PV2_12", "FRACTURE", ("C-free-text", "info", "PV2-12")),
        ("PV2_3", "SPP", ("V09", "warning", "PV2-3")),
        ("ACC_2", "", ("F-required", "error", "ACC-2")),
        ("PV1_41", "N", ("V24", "warning", "PV1-41")),
        ("PV1_51", "X", ("V24", "warning", "PV1-51")),
        ("PID_7", "20260231", ("V15", "error", "PID-7")),
        ("PID_19", "185066938312312", ("V09", "warning", "PID-19")),
        ("PID_8", "M^Masculin", ("F-type", "warning", "PID-8")),
        ("ZFP_3", "x", ("F-extra", "warning", "ZFP-3")),
    ],
)
def test_a_departure_is_named_at_its_place_and_nothing_else(path, value, expected):
    assert said(build(**{path: value})) == {expected}


def test_observations_of_any_content_are_accepted():
    assert found(build(OBX_5="beaucoup & plus^encore", OBX_2="ST")) == []


def test_a_movement_message_without_zbe_is_said():
    assert said(build(drop=("ZBE",))) == {("V19", "error", "ZBE")}


@pytest.mark.parametrize("nature", ["S", "H", "M", "L", "D", "SM", "SH", "MH", "LD", "HMS"])
def test_every_nature_of_movement_is_known(nature):
    assert found(transfer(ZBE_9=nature)) == []


def test_a_transfer_names_the_location_left():
    assert said(transfer(PV1_6="")) == {("V18", "error", "PV1-6")}


def test_a_discharge_with_pv2_is_accepted_with_a_warning():
    assert said(build("A03", "ADT_A03", drop=("PR1", "IN1", "ACC"))) == {("S-forbidden", "warning", "PV2")}


def test_shifted_movement_fields_are_told_as_one_shift():
    moved = {
        "ZBE_3": "20250109",
        "ZBE_4": "",
        "ZBE_5": "INSERT",
        "ZBE_6": "N",
        "ZBE_7": "",
        "ZBE_9": "",
        "ZBE_10": "HMS",
    }
    findings = found(build(**moved))
    code, shift = (one for one in findings if one.rule == "V19")
    assert (str(code.location), str(shift.location)) == ("ZBE-6", "ZBE")
    assert "“N”" in code.message
    assert "from ZBE-3 on" in shift.message
    assert {("V09", "warning", "ZBE-3"), ("F-extra", "warning", "ZBE-10"), ("F-required", "error", "ZBE-4")} <= said(
        build(**moved)
    )


@pytest.mark.parametrize("code", ["N", "A1", "a01"])
def test_a_zbe_6_that_is_no_event_is_told_once(code):
    told = {("V19", "warning", "ZBE-6")}
    assert {one for one in said(transfer(ZBE_6=code)) if one[0] == "V19"} == told
    assert {one for one in said(cancellation("A11", "ADT_A09", code)) if one[0] == "V19"} == told


def test_a_cancellation_names_the_event_that_it_cancels():
    assert found(cancellation("A11", "ADT_A09", "A01")) == []
    assert said(cancellation("A11", "ADT_A09", "")) == {("V19", "error", "ZBE-6")}
    assert said(cancellation("A11", "ADT_A09", "A01", ZBE_4="INSERT")) == {("V19", "error", "ZBE-4")}


def test_an_admission_cancelled_by_a12_is_found():
    [finding] = found(cancellation("A12", "ADT_A12", "A01"))
    assert finding.rule == "V19"
    assert "A02" in finding.message
    assert "A11" in finding.remedy


@pytest.mark.parametrize(
    ("event", "wrong", "right"),
    [("A05", "ADT_A01", "ADT_A05"), ("A52", "ADT_A21", "ADT_A52"), ("A53", "ADT_A21", "ADT_A52")],
)
def test_the_structure_is_that_of_the_event(event, wrong, right):
    finding = next(one for one in found(build(event, wrong)) if one.rule == "V03")
    assert right in finding.remedy


def test_a_correction_is_a_z99_with_update():
    assert found(build("Z99", ZBE_4="UPDATE", ZBE_5="Y", ZBE_6="A01")) == []
    assert found(build("Z99", ZBE_4="UPDATE", ZBE_5="Y", ZBE_6="A01", ZBE_9="C")) == []
    assert said(build("Z99", ZBE_4="UPDATE", ZBE_6="A02", ZBE_9="C")) == {("V19", "error", "ZBE-9")}
    assert said(build("Z99")) == {("V19", "error", "ZBE-4")}


def test_a_change_of_class_goes_the_right_way():
    assert found(build("A06", "ADT_A06", drop=("PV2",))) == []
    assert said(build("A07", "ADT_A06", drop=("PV2",))) == {("V22", "warning", "PV1-2")}
    assert found(build("A06", "ADT_A06", drop=("PV2",), ZBE_4="CANCEL", ZBE_6="A07")) == []


def test_a_change_of_class_carries_mrg_only_when_a_number_changes():
    before_visit = {name: fields for name, fields in ADMISSION.items() if name in ("MSH", "EVN", "PID")}
    base = {**before_visit, "MRG": {1: f"100200300^^^{HOUSE}^PI"}, **ADMISSION}
    assert said(build("A06", "ADT_A06", drop=("PV2",), base=base)) == {("V22", "warning", "MRG")}
    assert found(build("A06", "ADT_A06", drop=("PV2",), base=base, MRG_3=f"24000001^^^{HOUSE}^AN")) == []


def test_a_move_of_account_is_no_movement():
    move = {name: ADMISSION[name] for name in ("MSH", "EVN", "PID")}
    move["MRG"] = {1: f"100200999^^^{HOUSE}^PI", 3: f"25000009^^^{HOUSE}^AN"}
    assert found(build("A44", "ADT_A43", base=move)) == []


def test_an_unknown_event_is_named_and_the_rest_still_read():
    assert said(build("A08", "ADT_A01", PV1_2="X")) == {("V03", "error", "MSH-9.2"), ("F-table", "error", "PV1-2")}


def test_a_repeated_sequence_of_segments_is_judged_the_same():
    assert found(build(drop=("ZBE",))) == found(build(drop=("ZBE",)))


def test_groups_repeat_and_close():
    text = build()
    procedure, insurance = write("PR1", ADMISSION["PR1"]), write("IN1", ADMISSION["IN1"])
    doctor = write("ROL", ADMISSION["ROL"])
    repeated = text.replace(f"{procedure}\r", f"{procedure}\r{doctor}\r{procedure}\r{procedure}\r{doctor}\r")
    assert found(repeated.replace(f"{insurance}\r", f"{insurance}\r{doctor}\r{insurance}\r")) == []
    assert said(text + f"{procedure}\r") == {("V08", "error", "PR1(2)")}


def test_a_second_pv1_is_one_too_many():
    visit = write("PV1", ADMISSION["PV1"])
    assert said(build().replace(f"{visit}\r", f"{visit}\r{visit}\r")) == {("S-repeat", "error", "PV1(2)")}


def test_an_acknowledgement_is_checked_as_such():
    ack = "MSH|^~\\&|RI|CHU|GAM|CHU|20250102||ACK^A28^ACK|77|P|2.5^FRA^2.11|||||FRA||FR\rMSA|AA|MSG0000001\r"
    assert found(ack) == []
    assert said(ack[: ack.index("MSA")]) == {("S-missing", "error", "MSA")}
    assert said(ack.replace("|AA|", "|OK|")) == {("F-table", "warning", "MSA-1")}


def test_other_message_types_are_left_alone():
    text = "MSH|^~\\&|LAB|CHU|DPI|CHU|20250102||ORU^R01^ORU_R01|77|P|2.5^FRA^2.11|||||FRA||FR\rOBR|1\r"
    assert said(text) == {("V03", "error", "MSH-9.1")}


OLD_FEED = {
    "MSH": ADMISSION["MSH"] | {12: "2.3.1", 17: "", 18: "", 19: ""},
    "EVN": {1: "A08", 2: "202501021011"},
    "PID": {2: "123", 3: "123^^^HOP", 5: "VALBERTIN^MAELYS", 7: "19850612", 8: "F", 10: "2106-3", 19: "1850612"}
    | {11: "12 RUE DES LILAS^^LYON^^69003", 13: "0400000000", 32: "PROV", 39: "x"},
    "PV1": {2: "I", 3: "4012"},
}


def test_the_minimum_of_the_field_is_accepted_in_a_2_3_1_feed():
    text = build("A08", "", base=OLD_FEED)
    assert not [one for one in found(text) if one.severity != "info"]
    assert ("V15", "error", "PID-7") in said(build("A08", "", base=OLD_FEED, PID_7="20260231"))


def test_a_feed_still_needs_its_patient():
    assert ("S-missing", "warning", "PID") in said(build("A01", "", base=OLD_FEED, drop=("PID",)))


def test_international_pam_wants_no_french_rule():
    text = build(drop=AFTER_ZBE, MSH_12="2.5", MSH_17="DEU", MSH_19="DE", PID_32="", PV1_3="")
    assert said(text) == {("V04", "info", "MSH-12")}
