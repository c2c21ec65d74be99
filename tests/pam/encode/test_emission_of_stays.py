"""What receivers are told of stays: ITI-31 events written again from what the registry keeps."""

import pytest

from insigne.pam.encode import Nothing, Withheld, baseline_stay

from .conftest import field, lines, message, movement, mrg, pid, segment, triggers, visit

PERSON = pid(account="601")
WARD = "UF 2101^^^^^HOSP&990000019&N^UF^^^2101"


def admitted(repository, *more):
    """The stay 501, opened on 1 March at 9."""
    return repository.receives(
        message("A01", PERSON, visit(f44="202603010900"), movement("10", "202603010900"), *more, structure="ADT_A01")
    )


def moved(repository, number="11", ward="2201"):
    """The patient of the stay 501 goes to another ward at noon."""
    return repository.receives(
        message("A02", PERSON, visit(f"{ward}^3^F^HOSP"), movement(number, "202603011200", ward), number=number)
    )


def test_an_admission_is_told_after_its_new_patient(repository):
    """A01: account in PID-18, ward, room and bed in PV1-3, visit in PV1-19, movement inserted, EVN-6 its start."""
    told = admitted(repository, "ZFM|8")
    assert triggers(told) == ["A28", "A01"]
    outcome = repository.written(told[1])
    assert outcome.event == "ADT^A01^ADT_A01"
    assert field(outcome, "PID", 18) == "601^^^HOSP&1.2.250.1.999.2&ISO^AN"
    assert lines(outcome)[1] == "EVN||20260302120000+0100||||202603010900"
    assert lines(outcome)[3:] == [
        "PV1||I|2101^12^P^HOSP" + "|" * 16 + "501^^^HOSP&1.2.250.1.999.3&ISO^VN" + "|" * 25 + "202603010900",
        f"ZBE|10^^1.2.250.1.999.4^ISO|202603010900||INSERT|N||{WARD}|{WARD}|HMS",
        "ZFM|8",
    ]


def test_a_transfer_names_the_place_the_patient_comes_from_even_when_its_sender_did_not(repository):
    admitted(repository)
    [told] = moved(repository)
    outcome = repository.written(told)
    assert (field(outcome, "PV1", 3), field(outcome, "PV1", 6)) == ("2201^3^F^HOSP", "2101^12^P^HOSP")


def test_a_cancelled_transfer_puts_the_former_place_back(repository):
    """A12: same ZBE-1, CANCEL, ZBE-6 the event cancelled, PV1-3 where the patient is again."""
    admitted(repository)
    moved(repository)
    cancelling = movement("11", "202603011200", "2201", action="CANCEL", origin="A02")
    [told] = repository.receives(message("A12", PERSON, visit(), cancelling, number="12"))
    outcome = repository.written(told)
    assert outcome.event == "ADT^A12^ADT_A12"
    assert field(outcome, "PV1", 3) == "2101^12^P^HOSP"
    assert segment(outcome, "ZBE").split("|")[1:7] == [
        "11^^1.2.250.1.999.4^ISO",
        "202603011200",
        "",
        "CANCEL",
        "N",
        "A02",
    ]


def test_a_corrected_movement_is_told_by_a_z99_that_names_its_event(repository):
    admitted(repository)
    corrected = movement("10", "202603010830", action="UPDATE", origin="A01", nature="C")
    [told] = repository.receives(message("Z99", PERSON, visit("2101^14^F^HOSP"), corrected, number="12"))
    outcome = repository.written(told)
    assert outcome.event == "ADT^Z99^ADT_A01"
    assert segment(outcome, "ZBE").split("|")[2:7] == ["202603010830", "", "UPDATE", "N", "A01"]
    assert field(outcome, "ZBE", 9) == "C"
    assert field(outcome, "PV1", 3) == "2101^14^F^HOSP"


def test_what_a_z99_says_of_the_stay_alone_is_told_as_a_correction_of_its_last_movement(repository):
    admitted(repository)
    again = movement("10", "202603010900", action="UPDATE", origin="A01")
    told = repository.receives(message("Z99", PERSON, visit(f4="U", f44="202603010900"), again, number="12"))
    assert triggers(told) == ["Z99"]
    assert field(repository.written(told[0]), "PV1", 4) == "U"


def test_a_change_of_class_and_its_undoing_carry_the_same_movement(repository):
    """A06 inserts, the A07 that undoes it cancels the movement of the A06 and shows the class that stands again."""
    entry = movement("10", "202603010900")
    repository.receives(message("A04", PERSON, visit(kind="E"), entry, structure="ADT_A01"))
    hospital = message("A06", PERSON, visit(kind="I"), movement("11", "202603011200"), number="2", structure="ADT_A06")
    [changed] = repository.receives(hospital)
    undoing = movement("11", "202603011200", action="CANCEL", origin="A06")
    [undone] = repository.receives(message("A07", PERSON, visit(kind="E"), undoing, number="3", structure="ADT_A06"))
    first, second = repository.written(changed), repository.written(undone)
    assert (field(first, "ZBE", 4), field(first, "PV1", 2)) == ("INSERT", "I")
    assert (second.event, field(second, "ZBE", 4), field(second, "ZBE", 6)) == ("ADT^A07^ADT_A06", "CANCEL", "A06")
    assert field(second, "PV1", 2) == "E"


def test_another_doctor_told_under_the_same_movement_is_an_a54(repository):
    admitted(repository)
    doctor = "10999000010^MIREVAL^JUDITH^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"
    again = message("A54", PERSON, visit(doctor=doctor, f44="202603010900"), movement("10", "202603010900"), number="2")
    [told] = repository.receives(again)
    outcome = repository.written(told)
    assert (outcome.event, field(outcome, "PV1", 7)) == ("ADT^A54^ADT_A54", doctor)


def test_a_planned_transfer_says_where_it_goes(repository):
    admitted(repository)
    planned = message(
        "A15", PERSON, visit(f42="2201^3^F^HOSP"), movement("11", "202603020900"), number="2", structure="ADT_A15"
    )
    [told] = repository.receives(planned)
    assert field(repository.written(told), "PV1", 42) == "2201^3^F^HOSP"


def test_a_planned_admission_says_when(repository):
    planned = message("A05", PERSON, visit(""), movement("11", "202603020900"), structure="ADT_A05")
    raw = planned.raw.replace(b"EVN||20260302120000", b"EVN||20260302120000|202603150800")
    told = repository.receives(type(planned).parse(raw))
    outcome = repository.written(told[1])
    assert field(outcome, "EVN", 3) == "202603150800"
    assert not segment(outcome, "PV2")


def test_a_preadmission_gives_the_unit_in_charge_to_an_edition_that_wants_a_ward(repository):
    told = repository.receives(message("A05", PERSON, visit(""), movement("11", "202603020900"), structure="ADT_A05"))
    assert field(repository.written(told[1]), "PV1", 3) == ""
    assert field(repository.written(told[1], edition="2.5"), "PV1", 3) == "2101"


def test_an_account_moved_to_another_patient_is_told_once_with_both_patients(repository):
    """A44: PID of the one that has it now, MRG-1 of the one that had it, MRG-3 the account."""
    admitted(repository)
    repository.receives(message("A28", pid("2002"), "PV1||N", number="2"))
    [told] = repository.receives(message("A44", pid("2002", account="601"), mrg("1001", account="601"), number="3"))
    outcome = repository.written(told)
    assert outcome.event == "ADT^A44^ADT_A43"
    assert field(outcome, "PID", 3).startswith("2002^")
    assert segment(outcome, "MRG") == "MRG|1001^^^HOSP&1.2.250.1.999.1&ISO^PI||601^^^HOSP&1.2.250.1.999.2&ISO^AN"
    assert len(told.touched) == 2


def test_another_account_number_is_told_by_an_a49(repository):
    admitted(repository)
    [told] = repository.receives(message("A49", pid(account="699"), mrg("1001", account="601"), number="2"))
    outcome = repository.written(told)
    assert field(outcome, "PID", 18).startswith("699^")
    assert field(outcome, "MRG", 3).startswith("601^")


def test_a_movement_of_a_merged_patient_is_told_of_the_one_that_stands_for_it(repository):
    admitted(repository)
    repository.receives(message("A28", pid("2002"), "PV1||N", number="2"))
    repository.receives(message("A40", pid("2002"), mrg("1001"), number="3"))
    [told] = moved(repository)
    assert field(repository.written(told), "PID", 3).startswith("2002^")


def test_a_movement_without_nature_gets_the_one_its_changes_show(repository):
    """From one bed to another of the ward: L. Housing, medical and care wards alike: HMS."""
    admitted(repository)
    bed = movement("11", "202603011200", nature="")
    [moved_bed] = repository.receives(message("A02", PERSON, visit("2101^13^F^HOSP"), bed, number="2"))
    ward = movement("12", "202603011300", "2201", nature="")
    [moved_ward] = repository.receives(message("A02", PERSON, visit("2201^1^F^HOSP"), ward, number="3"))
    assert field(repository.written(moved_bed), "ZBE", 9) == "L"
    assert field(repository.written(moved_ward), "ZBE", 9) == "HMS"


def test_a_movement_that_could_not_be_valid_is_held_with_the_finding(repository):
    """Without visit number the stay cannot be told in French PAM: V17, and what to enter by hand."""
    told = repository.receives(
        message(
            "A01",
            PERSON,
            visit().replace("501^^^HOSP&1.2.250.1.999.3&ISO^VN", ""),
            movement("10", "202603010900"),
            structure="ADT_A01",
        )
    )
    held = repository.written(told[1])
    assert isinstance(held, Withheld)
    assert [finding.rule for finding in held.findings] == ["V17"]
    assert "PV1-19" in held.text
    assert "Saisissez à la main l’événement A01 du séjour 601" in held.text_fr
    assert not isinstance(repository.written(told[1], edition="PAM-2.5"), Withheld)


def test_the_correction_of_a_movement_whose_event_nobody_said_is_held(repository):
    unknown = movement("77", "202603010900", action="UPDATE")
    told = repository.receives(message("Z99", PERSON, visit(), unknown, structure="ADT_A01"))
    assert triggers(told) == ["A28", "Z99"]
    assert isinstance(repository.written(told[1]), Withheld)


@pytest.mark.parametrize(("sites", "sent"), [(["HOSP"], True), (["2101"], True), (["9999"], False)])
def test_a_receiver_of_one_site_is_told_of_the_stays_that_were_there(repository, sites, sent):
    _, told = admitted(repository)
    outcome = repository.written(told, sites=sites)
    assert (outcome != Nothing("other-site")) == sent
    assert outcome == Nothing("other-site") or outcome.raw


def test_a_new_receiver_is_told_of_a_stay_by_the_movements_that_count(repository):
    admitted(repository)
    moved(repository)
    gone = movement("12", "202603011400", "2301")
    repository.receives(message("A02", PERSON, visit("2301^1^F^HOSP"), gone, number="12"))
    undone = movement("12", "202603011400", "2301", action="CANCEL", origin="A02")
    repository.receives(message("A12", PERSON, visit("2201^3^F^HOSP"), undone, number="13"))
    [stay] = repository.stays()
    told = baseline_stay(stay, repository.person("1001"))
    outcomes = [repository.written(one) for one in told]
    assert [(one.event[4:7], field(one, "PV1", 3)) for one in outcomes] == [
        ("A01", "2101^12^P^HOSP"),
        ("A02", "2201^3^F^HOSP"),
    ]
