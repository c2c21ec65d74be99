"""What several messages together show: ZBE-1 used again in another stay."""

import pytest

from insigne.hl7 import Message
from insigne.pam.editions import EDITIONS, NEWEST
from insigne.pam.rules.movements import MovementMemory

OURS = "^CHU-LYS^1.2.250.1.999.1^ISO"


def message(movement="312" + OURS, visit="V1", account="D1", action="INSERT", sender="GAM"):
    event = "A11" if action == "CANCEL" else "A01"
    fields = {18: account}
    pid = "|".join(["PID", *(fields.get(number, "") for number in range(1, 19))])
    pv1 = "|".join(["PV1", "1", "I", *[""] * 16, visit])
    return (
        f"MSH|^~\\&|{sender}|CHU-LYS|RI|CHU-LYS|20250102101112||ADT^{event}^ADT_A01|M1|P|2.5^FRA^2.11\r"
        f"{pid}\r{pv1}\rZBE|{movement}|20250102100000||{action}|N\r"
    )


@pytest.fixture
def said():
    """The findings of each message of a run, as (rule, severity, location)."""

    def said(*texts, most=100):
        memory = MovementMemory(most)
        runs = [
            memory.check(Message.parse(text.encode()), EDITIONS[NEWEST], f"day.hl7#{rank}")
            for rank, text in enumerate(texts, 1)
        ]
        return [[(one.rule, one.severity, str(one.location)) for one in found] for found in runs]

    return said


REUSED = [("X-movement", "warning", "ZBE-1[1]")]


def test_a_movement_of_another_stay_is_told_where_it_was_first_seen():
    memory = MovementMemory()
    memory.check(Message.parse(message().encode()), EDITIONS[NEWEST], "monday.hl7#3")
    [finding] = memory.check(Message.parse(message(visit="V2").encode()), EDITIONS[NEWEST], "tuesday.hl7#1")
    assert (finding.rule, finding.severity, str(finding.location)) == ("X-movement", "warning", "ZBE-1[1]")
    assert "monday.hl7#3" in finding.message
    assert "monday.hl7#3" in finding.message_fr
    assert "312" not in finding.message


def test_a_movement_told_again_cancelled_or_corrected_in_its_stay_is_no_reuse(said):
    told = message(), message(), message(action="UPDATE"), message(action="CANCEL"), message()
    assert said(*told) == [[]] * 5


def test_the_account_tells_the_stay_when_a_visit_number_is_missing(said):
    assert said(message(visit=""), message(visit="", account="D2")) == [[], REUSED]
    assert said(message(), message(visit="")) == [[], []]
    assert said(message(visit="", account=""), message()) == [[], []]


def test_two_visits_of_one_account_are_two_stays(said):
    assert said(message(), message(visit="V2")) == [[], REUSED]


def test_an_identifier_is_that_of_its_authority_or_of_its_sender_without_one(said):
    other = message("312^OTHER^1.2.250.1.999.2^ISO", visit="V2")
    assert said(message(), other) == [[], []]
    assert said(message("312"), message("312", visit="V2", sender="URG")) == [[], []]
    assert said(message("312"), message("312", visit="V2")) == [[], REUSED]


def test_each_of_several_identifiers_counts(said):
    again = message(f"400{OURS}~312{OURS}", visit="V2")
    assert said(message(), again) == [[], [("X-movement", "warning", "ZBE-1[2]")]]


def test_what_is_remembered_is_bounded(said):
    others = [message(f"{number}{OURS}", visit=f"V{number}") for number in range(500, 505)]
    assert said(message(), *others, message(visit="V2"), most=5)[-1] == []
    assert said(message(), *others, message(visit="V2"), most=6)[-1] == REUSED


def test_a_message_without_movement_says_nothing(said):
    assert said("MSH|^~\\&|GAM|CHU-LYS|||20250102101112||ADT^A28^ADT_A05|M1|P|2.5^FRA^2.11\r", message("")) == [[], []]
