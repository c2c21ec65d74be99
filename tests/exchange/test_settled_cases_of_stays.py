"""Stays and movements (ITI-31), seen from the sender's side: ER7 in, acknowledgement and resulting stays out."""

from typing import Any

import pytest

from insigne.exchange.settings import SenderSettings
from insigne.ins.status import Status
from insigne.registry.settings import RegistrySettings

ALICE = "2800269123456"


def test_an_event_on_an_unknown_patient_creates_the_identity_with_its_status(hospital: Any, write: Any) -> None:
    reply = hospital.moves("A01", write.pi("1"), "M1", status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").status is Status.VALI
    [stay] = hospital.stays()
    assert stay.identity == hospital.person("1").id
    assert (stay.visit.value, stay.account.value, stay.status) == ("V1", "N1", "in-progress")


def test_an_event_with_an_ins_qualifies_as_an_a31_does(hospital: Any, write: Any) -> None:
    pid = write.pid(write.pi("1"), write.ins(ALICE), status="VALI")

    hospital.send("A01", pid, write.pv1("V1"), write.zbe("M1", "20260301090000"))

    assert hospital.person("1").status is Status.QUAL


def test_an_event_without_zbe_applies_the_identity_alone(hospital: Any, write: Any) -> None:
    reply = hospital.send("A01", write.pid(write.pi("1"), status="VALI"), write.pv1("V1"))

    assert (reply.code, reply.errors) == ("AA", [])
    assert hospital.person("1").status is Status.VALI
    assert hospital.stays() == []
    assert "no-movement" in hospital.findings()


def test_an_event_without_any_stay_number_applies_the_identity_alone(hospital: Any, write: Any) -> None:
    reply = hospital.send("A01", write.pid(write.pi("1")), write.pv1(""), write.zbe("M1", "20260301090000"))

    assert reply.code == "AA"
    assert hospital.stays() == []
    assert "no-stay-number" in hospital.findings()


def test_a_movement_on_a_merged_identifier_goes_to_the_survivor_and_its_traits_are_ignored(
    hospital: Any, write: Any
) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("1"), write.pi("2"))

    reply = hospital.moves("A01", write.pi("2"), "M1", name="AUTRE^ALICE^ALICE^^^^L")

    assert (reply.code, reply.errors) == ("AA", [])
    assert [stay.identity for stay in hospital.stays()] == [hospital.person("1").id]
    assert hospital.person("1").traits.birth_name == "MARTIN"
    assert hospital.person("2").traits.birth_name == "MARTIN"


def test_a_stay_opened_before_a_merge_goes_on_after_it(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.moves("A01", write.pi("2"), "M1")
    hospital.merge(write.pi("1"), write.pi("2"))

    assert hospital.moves("A02", write.pi("1"), "M2", start="20260302090000").code == "AA"

    [stay] = hospital.stays()
    assert [movement.trigger for movement in stay.movements] == ["A01", "A02"]
    assert hospital.tasks() == []


def test_a_stay_of_another_patient_is_not_touched(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.says("A28", write.pi("2"))

    reply = hospital.moves("A02", write.pi("2"), "M2", start="20260302090000")

    assert reply.code == "AA"
    assert len(hospital.stays()[0].movements) == 1
    assert hospital.kinds() == ["stay-of-another"]


# --- the course of a stay


def _last(hospital: Any) -> str:
    return str(hospital.stays()[-1].status)


def test_a_stay_goes_from_pre_admission_to_discharge(hospital: Any, write: Any) -> None:
    course = [
        ("A05", "planned"),
        ("A01", "in-progress"),
        ("A02", "in-progress"),
        ("A21", "onleave"),
        ("A22", "in-progress"),
        ("A54", "in-progress"),
        ("A03", "finished"),
    ]
    for day, (event, status) in enumerate(course, 1):
        assert hospital.moves(event, write.pi("1"), f"M{day}", start=f"202603{day:02d}0900").code == "AA"
        assert _last(hospital) == status
    assert len(hospital.stays()) == 1


@pytest.mark.parametrize(
    ("before", "event", "cancelling", "after"),
    [
        ([], "A01", "A11", "cancelled"),
        ([], "A04", "A11", "cancelled"),
        (["A05"], "A01", "A11", "planned"),
        (["A01"], "A02", "A12", "in-progress"),
        (["A01"], "A03", "A13", "in-progress"),
        ([], "A05", "A38", "cancelled"),
        ([], "A14", "A27", "cancelled"),
        (["A01"], "A15", "A26", "in-progress"),
        (["A01"], "A16", "A25", "in-progress"),
        (["A01"], "A21", "A52", "in-progress"),
        (["A01", "A21"], "A22", "A53", "onleave"),
        (["A01"], "A54", "A55", "in-progress"),
        (["A04"], "A06", "A07", "in-progress"),
        (["A01"], "A07", "A06", "in-progress"),
    ],
)
def test_each_cancellation_undoes_its_movement_and_keeps_it(
    hospital: Any, write: Any, before: list[str], event: str, cancelling: str, after: str
) -> None:
    for day, earlier in enumerate(before, 1):
        hospital.moves(earlier, write.pi("1"), f"M{day}", start=f"202603{day:02d}0900")
    hospital.moves(event, write.pi("1"), "M9", start="202603090900")

    reply = hospital.moves(cancelling, write.pi("1"), "M9", start="202603090900", action="CANCEL", original=event)

    assert (reply.code, reply.errors) == ("AA", [])
    [stay] = hospital.stays()
    assert stay.movement(_id("M9")).cancelled
    assert [m.trigger for m in stay.active] == before
    assert stay.status == after


def _id(number: str) -> str:
    return f"1.2.250.1.999.1|{number}"


def test_a_cancelled_discharge_takes_its_date_and_circumstances_back(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1", visit_fields={"pv44": "20260301090000"})
    discharge = {"pv36": "3", "pv45": "20260305100000"}
    hospital.moves("A03", write.pi("1"), "M2", start="20260305100000", visit_fields=discharge)
    assert hospital.stays()[0].header.discharge_time == "20260305100000"

    hospital.moves("A13", write.pi("1"), "M2", start="20260305100000", action="CANCEL", original="A03")

    header = hospital.stays()[0].header
    assert (header.admit_time, header.discharge_time, header.discharge_disposition) == ("20260301090000", "", "")


def test_a_cancelled_change_of_class_gives_the_class_back(hospital: Any, write: Any) -> None:
    hospital.moves("A04", write.pi("1"), "M1", visit_fields={"kind": "O"})
    hospital.moves("A06", write.pi("1"), "M2", start="20260301100000")
    assert hospital.stays()[0].header.patient_class == "I"

    back = {"kind": "O"}
    hospital.moves(
        "A07", write.pi("1"), "M2", start="20260301100000", action="CANCEL", original="A06", visit_fields=back
    )

    assert hospital.stays()[0].header.patient_class == "O"


def test_two_quotes_delete_a_date_of_the_stay_and_an_empty_field_does_not(hospital: Any, write: Any) -> None:
    fields = {"pv8": "10001234567^DOC^JEAN", "pv44": "20260301090000", "pv45": "20260305100000"}
    hospital.moves("A01", write.pi("1"), "M1", visit_fields=fields)

    correction = {"pv45": '""'}
    hospital.moves("Z99", write.pi("1"), "M1", action="UPDATE", original="A01", visit_fields=correction)

    header = hospital.stays()[0].header
    assert (header.admit_time, header.discharge_time) == ("20260301090000", "")
    assert header.referring.id == "10001234567"


# --- cancellations and corrections of what is unknown


def test_the_cancellation_of_an_unknown_movement_is_refused(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    before = hospital.snapshot()

    reply = hospital.moves("A12", write.pi("1"), "M404", action="CANCEL", original="A02")

    assert reply.code == "AE"
    assert reply.errors == [("ZBE^1^1", "204", "E")]
    assert hospital.snapshot() == before


def test_the_cancellation_of_an_unknown_movement_leaves_no_identity_behind(hospital: Any, write: Any) -> None:
    assert hospital.moves("A11", write.pi("1"), "M1", action="CANCEL", original="A01").code == "AE"
    assert hospital.identities() == []


@pytest.mark.parametrize("level", ["sender", "site"])
def test_the_cancellation_of_an_unknown_movement_may_be_accepted(open_hospital: Any, write: Any, level: str) -> None:
    if level == "sender":
        hospital = open_hospital(senders=(SenderSettings(application="GAM", unknown_cancellation="accept"),))
    else:
        hospital = open_hospital(registry=RegistrySettings(unknown_cancellation="accept"))
    hospital.moves("A01", write.pi("1"), "M1")

    reply = hospital.moves("A12", write.pi("1"), "M404", action="CANCEL", original="A02")

    assert (reply.code, reply.errors) == ("AA", [])
    assert len(hospital.stays()[0].movements) == 1
    assert "movement-unknown" in hospital.findings()


def test_a_cancellation_repeated_does_nothing(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.moves("A11", write.pi("1"), "M1", action="CANCEL", original="A01")
    before = hospital.snapshot()

    reply = hospital.moves("A11", write.pi("1"), "M1", action="CANCEL", original="A01")

    assert reply.code == "AA"
    assert hospital.snapshot() == before


def test_a_z99_corrects_its_movement_and_keeps_what_it_does_not_say(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1", visit_fields={"pv7": "10001234567^DOC^JEAN"})

    corrected = {"ward": "", "pv44": "20260301083000"}
    reply = hospital.moves(
        "Z99",
        write.pi("1"),
        "M1",
        start="20260301083000",
        action="UPDATE",
        original="A01",
        visit_fields=corrected,
    )

    assert reply.code == "AA"
    [movement] = hospital.stays()[0].movements
    assert (movement.trigger, movement.start) == ("A01", "20260301083000")
    assert (movement.location.ward, movement.attending.id) == ("6268", "10001234567")
    assert hospital.stays()[0].header.admit_time == "20260301083000"


def test_a_z99_repeated_changes_nothing(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.moves("Z99", write.pi("1"), "M1", start="20260301083000", action="UPDATE", original="A01")
    before = hospital.snapshot()

    hospital.moves("Z99", write.pi("1"), "M1", start="20260301083000", action="UPDATE", original="A01")

    assert hospital.snapshot() == before


def test_a_z99_does_not_bring_a_cancelled_movement_back(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.moves("A11", write.pi("1"), "M1", action="CANCEL", original="A01")

    hospital.moves("Z99", write.pi("1"), "M1", start="20260301083000", action="UPDATE", original="A01")

    assert hospital.stays()[0].status == "cancelled"


def test_a_z99_of_an_unknown_movement_inserts_it(hospital: Any, write: Any) -> None:
    reply = hospital.moves("Z99", write.pi("1"), "M1", action="UPDATE", original="A01")

    assert (reply.code, reply.errors) == ("AA", [])
    assert [m.trigger for m in hospital.stays()[0].movements] == ["A01"]
    assert "movement-inserted" in hospital.findings()


def test_a_historic_movement_takes_its_place_in_time(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1", start="20260301090000")
    hospital.moves("A03", write.pi("1"), "M3", start="20260305090000")

    hospital.moves("A02", write.pi("1"), "M2", start="20260303090000", historic="Y")

    [stay] = hospital.stays()
    assert [m.trigger for m in stay.active] == ["A01", "A02", "A03"]
    assert stay.status == "finished"


def test_a_movement_told_by_two_messages_keeps_its_course(hospital: Any, write: Any) -> None:
    """One movement may be notified by several messages sharing ZBE-1 (PAM-FR)."""
    hospital.moves("A01", write.pi("1"), "M1")

    hospital.moves("A54", write.pi("1"), "M1", visit_fields={"pv7": "10001234567^DOC^JEAN"})

    [movement] = hospital.stays()[0].movements
    assert (movement.trigger, movement.attending.id, movement.location.ward) == ("A01", "10001234567", "6268")


def test_movements_of_the_same_number_in_two_stays_are_two(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1", visit="V1")
    hospital.moves("A01", write.pi("1"), "M1", visit="V2")

    hospital.moves("A11", write.pi("1"), "M1", visit="V2", action="CANCEL", original="A01")

    assert [stay.status for stay in hospital.stays()] == ["in-progress", "cancelled"]


# --- accounts


def _moves_account(hospital: Any, write: Any, target: str, source: str, account: str) -> Any:
    number = f"{account}^^^HOSP&1.2.250.1.999.1&ISO^AN"
    mrg = write.segment("MRG", {1: write.pi(source), 3: number})
    return hospital.send("A44", write.pid(write.pi(target), pid18=number), mrg)


def test_an_a44_gives_the_account_to_another_patient(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.says("A28", write.pi("2"))

    assert _moves_account(hospital, write, "2", "1", "N1").code == "AA"

    assert hospital.stays()[0].identity == hospital.person("2").id
    assert hospital.moves("A03", write.pi("2"), "M2", start="20260302").code == "AA"
    assert hospital.stays()[0].status == "finished"


@pytest.mark.parametrize(("source", "account"), [("404", "N1"), ("1", "N404")])
def test_an_a44_of_what_is_unknown_does_nothing(hospital: Any, write: Any, source: str, account: str) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.says("A28", write.pi("2"))
    before = hospital.snapshot()

    assert _moves_account(hospital, write, "2", source, account).code == "AA"
    assert hospital.snapshot() == before


def test_the_groups_of_an_a44_are_all_applied_or_none(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    hospital.says("A28", write.pi("2"))
    before = hospital.snapshot()
    account = "N1^^^HOSP&1.2.250.1.999.1&ISO^AN"

    reply = hospital.send(
        "A44",
        write.pid(write.pi("2"), pid18=account),
        write.segment("MRG", {1: write.pi("1"), 3: account}),
        write.pid(write.pi("2")),
        write.segment("MRG", {1: write.pi("1")}),
    )

    assert reply.code == "AE"
    assert hospital.snapshot() == before


def test_an_a49_gives_the_account_another_number(hospital: Any, write: Any) -> None:
    hospital.moves("A01", write.pi("1"), "M1")
    ours = "HOSP&1.2.250.1.999.1&ISO"

    reply = hospital.send(
        "A49",
        write.pid(write.pi("1"), pid18=f"N9^^^{ours}^AN"),
        write.segment("MRG", {1: write.pi("1"), 3: f"N1^^^{ours}^AN"}),
    )

    assert reply.code == "AA"
    assert hospital.stays()[0].account.value == "N9"


# --- the French segments


def test_the_dmp_consent_is_kept_and_completed(hospital: Any, write: Any) -> None:
    def says(**zfa: str) -> None:
        fields = {int(name.removeprefix("zfa")): value for name, value in zfa.items()}
        hospital.send("A31", write.pid(write.pi("1")), write.segment("PV1", {2: "N"}), write.segment("ZFA", fields))

    says(zfa1="ACTIF", zfa9="INO", zfa10="20260301", zfa11="IC")
    says(zfa9="IO", zfa11='""')

    dmp = hospital.person("1").details.dmp
    assert (dmp.status, dmp.feeding, dmp.feeding_date, dmp.consulting) == ("ACTIF", "IO", "20260301", "")


def test_legal_modes_of_care_are_inserted_corrected_and_cancelled(hospital: Any, write: Any) -> None:
    def says(action: str, number: str, mode: str) -> None:
        zfs = {1: "1", 2: f"{number}^HOSP^1.2.250.1.999.1^ISO", 3: "20260301", 5: action, 6: mode}
        hospital.send("A31", write.pid(write.pi("1")), write.segment("PV1", {2: "N"}), write.segment("ZFS", zfs))

    says("INSERT", "S1", "SDT")
    says("INSERT", "S2", "SL")
    says("UPDATE", "S1", "SPI")
    says("CANCEL", "S2", "SL")

    assert [mode.mode for mode in hospital.person("1").details.legal_care_modes] == ["SPI"]
