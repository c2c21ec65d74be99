"""What PV1, PV2, ZBE, ZFM and ZFV say of a stay and its movement."""

import pytest

from insigne.hl7 import Message
from insigne.pam.decode import KINDS, decode
from insigne.pam.decode.triggers import CANCELLED_BY
from insigne.registry.commands import MoveAccounts, MovementAssertion, RecordMovement, RenumberAccount
from insigne.registry.values import Address, Authority, Identifier

HOSP = "HOSP&1.2.250.1.999.1&ISO"
AUTHORITY = Authority("HOSP", "1.2.250.1.999.1", "ISO")
MEDICAL = "Chir^^^^^HOSP&1.2.250.1.999.1&ISO^UF^^^6268"
ZBE = f"ZBE|M1^HOSP^1.2.250.1.999.1^ISO|20260301090000||INSERT|N||{MEDICAL}|Soins^^^^^HOSP^UF^^^6300|HMS"

#: Every ITI-31 event of the French table, mandatory and optional (PAM-FR 2.11.2 §2), by what it does to a movement.
CREATING = ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A14", "A15", "A16", "A21", "A22", "A54")
CANCELLING = {
    "A11": "A01",
    "A12": "A02",
    "A13": "A03",
    "A38": "A05",
    "A25": "A16",
    "A26": "A15",
    "A27": "A14",
    "A52": "A21",
    "A53": "A22",
    "A55": "A54",
}


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])


def event(trigger: str, *segments: str, pv1: str = "PV1||I", pid18: str = f"N1^^^{HOSP}^AN") -> RecordMovement:
    header = f"MSH|^~\\&|GAM|HOSP|X|Y|20260301||ADT^{trigger}|1|P|2.5^FRA^2.11||||||UNICODE UTF-8"
    pid = f"PID|||1^^^{HOSP}^PI|||||||||||||||{pid18}"
    command = decode(Message.parse("".join(f"{line}\r" for line in (header, pid, pv1, *segments)).encode()))
    assert isinstance(command, RecordMovement)
    return command


def movement(trigger: str, zbe: str = ZBE, pv1: str = "PV1||I") -> MovementAssertion:
    said = event(trigger, zbe, pv1=pv1).movement
    assert said is not None
    return said


def test_every_french_event_is_known() -> None:
    french = {*CREATING, *CANCELLING, "Z99", "A44", "A49", "A28", "A31", "A40", "A47", "A24", "A37"}

    assert french <= KINDS.keys()
    assert CANCELLING.items() <= CANCELLED_BY.items()


@pytest.mark.parametrize("trigger", CREATING)
def test_a_creating_event_inserts(trigger: str) -> None:
    assert (movement(trigger).action, movement(trigger).trigger) == ("INSERT", trigger)


@pytest.mark.parametrize(("trigger", "undone"), CANCELLING.items())
def test_a_cancelling_event_cancels_whatever_zbe_4_says(trigger: str, undone: str) -> None:
    said = movement(trigger)

    assert (said.action, said.original_trigger) == ("CANCEL", undone)


@pytest.mark.parametrize("trigger", ["A06", "A07"])
def test_events_that_undo_each_other_cancel_when_zbe_4_says_so(trigger: str) -> None:
    assert movement(trigger, ZBE.replace("INSERT", "CANCEL")).action == "CANCEL"


def test_z99_corrects_the_movement_of_zbe_6() -> None:
    said = movement("Z99", ZBE.replace("INSERT|N|", "UPDATE|Y|A01"))

    assert (said.action, said.original_trigger, said.historic) == ("UPDATE", "A01", True)


def test_a_movement_has_its_number_dates_places_and_units() -> None:
    pv1 = "PV1||I|6268^12^2^&350000121&M^O^^B^3|||OLD^1^1|10001^DOC^JEAN^^^^^^PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"
    said = movement("A02", pv1=pv1)

    assert (said.ids, said.start, said.nature, said.patient_class) == (
        ("1.2.250.1.999.1|M1",),
        "20260301090000",
        "HMS",
        "I",
    )
    where = said.location
    assert (where.ward, where.room, where.bed, where.facility, where.status, where.building, where.floor) == (
        "6268",
        "12",
        "2",
        "350000121",
        "O",
        "B",
        "3",
    )
    assert said.prior_location.ward == "OLD"
    assert (said.medical_ward.code, said.medical_ward.label, said.medical_ward.authority) == ("6268", "Chir", AUTHORITY)
    assert said.care_ward.code == "6300"
    assert (said.attending.id, said.attending.id_type, said.attending.family) == ("10001", "RPPS", "DOC")


def test_a_movement_may_have_several_numbers() -> None:
    assert movement("A01", ZBE.replace("ZBE|", "ZBE|X9^GAM~")).ids == ("GAM|X9", "1.2.250.1.999.1|M1")


@pytest.mark.parametrize("zbe", ["", "ZBE||20260301||INSERT|N||||HMS"])
def test_no_usable_zbe_is_no_movement(zbe: str) -> None:
    assert event("A01", *filter(None, [zbe])).movement is None


def test_a_stay_has_its_numbers_under_their_own_types() -> None:
    said = event("A01", ZBE, pv1=segment("PV1", {2: "I", 19: f"V1^^^{HOSP}"}), pid18=f"N1^^^{HOSP}^XX")

    assert said.visit == Identifier("VN", AUTHORITY, "V1")
    assert said.account == Identifier("AN", AUTHORITY, "N1")


def test_the_header_of_a_stay_comes_from_pv1_pv2_zfm_and_zfv() -> None:
    fields = {
        2: "R",
        4: "L",
        5: f"P1^^^{HOSP}^VN",
        8: "10002^REF",
        10: "107",
        17: "10003^ADM",
        36: "3",
        44: "20260301",
        45: "20260305",
    }
    zfv = (
        f"ZFV|690000001^20260201|5||20260101|20260102|1 RUE^^LYON^^69001^FRA^ORI|N77^^^{HOSP}^AN|ARC1^^^{HOSP}^MR"
        "|DOMI||MED"
    )

    said = event("A03", "PV2||||||||20260228|20260306", ZBE, "ZFM|8|8|1|6|5", zfv, pv1=segment("PV1", fields)).header

    assert (said.patient_class, said.admission_type, said.hospital_service) == ("R", "L", "107")
    assert said.preadmit_number == Identifier("VN", AUTHORITY, "P1")
    assert (said.referring.id, said.admitting.id) == ("10002", "10003")
    assert (said.admit_time, said.discharge_time, said.discharge_disposition) == ("20260301", "20260305", "3")
    assert (said.expected_admit, said.expected_discharge) == ("20260228", "20260306")
    assert (said.admit_mode, said.discharge_mode, said.origin, said.destination, said.emergency_passage) == (
        "8",
        "8",
        "1",
        "6",
        "5",
    )
    assert (said.legal_origin, said.legal_origin_date, said.transport_out) == ("690000001", "20260201", "5")
    assert (said.transport_care, said.custom_discharge_mode) == ("MED", "DOMI")
    assert (said.placement_start, said.placement_end) == ("20260101", "20260102")
    assert said.transfer_addresses == (
        Address(use="ORI", street="1 RUE", city="LYON", postal_code="69001", country="FRA"),
    )
    assert said.origin_account == Identifier("AN", AUTHORITY, "N77")
    assert said.archives == (Identifier("MR", AUTHORITY, "ARC1"),)


def test_two_quotes_in_the_header_are_a_deletion_and_never_a_value() -> None:
    pv1 = segment("PV1", {2: "I", 3: '""', 7: '""', 44: "20260301", 45: '""'})

    said = event("Z99", 'PV2||||||||""|', ZBE, pv1=pv1)

    assert said.cleared == ("discharge_time", "expected_admit")
    assert (said.header.admit_time, said.header.discharge_time) == ("20260301", "")
    assert said.movement is not None
    assert (said.movement.location.ward, said.movement.attending.id) == ("", "")


# --- accounts


def _decoded(trigger: str, *segments: str) -> object:
    header = f"MSH|^~\\&|GAM|HOSP|X|Y|20260301||ADT^{trigger}|1|P|2.5^FRA^2.11"
    return decode(Message.parse("".join(f"{line}\r" for line in (header, *segments)).encode()))


def test_a44_moves_the_account_of_mrg_3_else_of_pid_18_in_each_group() -> None:
    command = _decoded(
        "A44",
        f"PID|||1^^^{HOSP}^PI|||||||||||||||N9^^^{HOSP}^AN",
        f"MRG|2^^^{HOSP}^PI||N1^^^{HOSP}^AN",
        f"PID|||1^^^{HOSP}^PI|||||||||||||||N2^^^{HOSP}^AN",
        f"MRG|3^^^{HOSP}^PI",
    )

    assert isinstance(command, MoveAccounts)
    assert [(m.prior[0].value, m.account.value if m.account else "") for m in command.moves] == [
        ("2", "N1"),
        ("3", "N2"),
    ]


def test_a49_names_the_new_and_the_prior_account() -> None:
    command = _decoded("A49", f"PID|||1^^^{HOSP}^PI|||||||||||||||N9^^^{HOSP}^AN", f"MRG|1^^^{HOSP}^PI||N1^^^{HOSP}^AN")

    assert isinstance(command, RenumberAccount)
    assert (command.account.value, command.prior_account.value) == ("N9", "N1")
