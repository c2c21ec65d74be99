"""Stand-ins: the shape of a value, and nothing else of it."""

import re
from calendar import monthrange

from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import Message
from insigne.ins.matricule import key_of
from insigne.pam.editions import edition
from insigne.pam.redaction import StandIns, redact_document, redact_message

NEWEST = edition("2.11")


def stand_ins(*texts, key=b"k"):
    people = StandIns(key)
    for text in texts:
        people.of(text)
    people.learning = False
    return people


def shape(text):
    """What a stand-in keeps: capitals, digits, what is neither, and whether each character is ASCII."""
    return [(c.isupper(), c.isdigit(), c if not c.isalnum() else "", c.isascii()) for c in text]


latin = st.text(st.characters(codec="iso8859-1", exclude_categories=("Cc", "No"), exclude_characters="ªº"), max_size=40)


@given(latin)
def test_a_stand_in_has_the_shape_of_the_value_and_goes_in_its_character_set(text):
    written = stand_ins(text).of(text)
    assert len(written) == len(text)
    assert [c for c in written if not c.isalnum()] == [c for c in text if not c.isalnum()]
    assert [c.isdigit() for c in written] == [c.isdigit() for c in text]
    written.encode("iso8859-1")


@given(st.lists(st.from_regex(r"[A-Z]{4,12}|[0-9]{4,7}", fullmatch=True), min_size=1, max_size=30, unique=True))
def test_no_stand_in_is_the_value_of_somebody_and_two_values_have_two(values):
    people = stand_ins(*values)
    written = [people.of(value) for value in values]
    assert set(written).isdisjoint(values)
    assert len(set(written)) == len(values)


def test_accents_capitals_and_the_words_of_a_list_change_nothing_to_the_letters():
    people = stand_ins("MAËLLE LOUISE")
    whole = people.of("MAËLLE LOUISE")
    first, second = whole.split()
    assert people.of("Louise") == second.capitalize()
    plain = people.of("MAELLE")
    assert (plain[:2], plain[3:]) == (first[:2], first[3:])
    assert (plain[2].isascii(), first[2].isascii()) == (True, False)


def test_another_bundle_has_other_stand_ins():
    assert stand_ins("DUPONT").of("DUPONT") != stand_ins("DUPONT", key=b"l").of("DUPONT")


def test_a_day_stays_a_day_however_it_is_written():
    people = stand_ins("19850712", "19850712103000+0200", "1985-07-12", "19850231")
    day = people.of("19850712")
    assert 1 <= int(day[4:6]) <= 12
    assert 1 <= int(day[6:]) <= monthrange(int(day[:4]), int(day[4:6]))[1]
    assert people.of("1985-07-12") == f"{day[:4]}-{day[4:6]}-{day[6:]}"
    moment = people.of("19850712103000+0200")
    assert (moment[:8], moment[14:]) == (day, "+0200")
    assert re.fullmatch(r"[01]\d|2[0-3]", moment[8:10])


def test_a_matricule_becomes_one_that_nobody_has_with_a_key_as_right_as_its_own():
    right, wrong = "285076311304226", "285076311304227"
    people = stand_ins(right, wrong)
    for value in (right, wrong):
        written = people.of(value)
        assert (written[0], written[3:5], written != value) == (value[0], "00", True)
        assert (key_of(written[:13]) == written[13:]) is (value is right)


def test_our_own_words_stay_and_what_was_learned_goes():
    people = stand_ins("DUPONT", "4071")
    text = people.scrub("PID-3[2].5: Dupont (4071) is held")
    assert text.startswith("PID-3[2].5: ")
    assert text.endswith(" is held")
    assert not re.search("(?i)dupont|4071", text)


def test_of_what_others_write_only_words_about_messages_stay():
    people = stand_ins("PATIENT")
    assert stand_ins().foreign("Unknown patient, see PID-3: code 204").startswith("Unknown patient, ")
    assert "MARTIN" not in stand_ins().foreign("Unknown patient MARTIN")
    assert "patient" not in people.foreign("Unknown patient")


MESSAGE = (
    "MSH#$*!%#GAM#CHU#INSIGNE#GHT#20260301083000##ADT$A28$ADT_A05#G1#P#2.5$FRA$2.11#####FRA#8859/1\n"
    'PID#1##4071$$$GAM%1.2.250.1.999.1%ISO$PI*9$$$X$PAUL##B!S!ER$ZO\u00c9$$$$$L##19850712#F###""\n'
    "ZZZ#PAUL#F\n"
)


def test_separators_segment_ends_unknown_segments_and_codes_that_are_none_are_dealt_with():
    raw = MESSAGE.encode("latin-1")
    people = StandIns(b"k")
    redact_message(raw, NEWEST, people)
    people.learning = False
    written = redact_message(raw, NEWEST, people)
    before, after = Message.parse(raw), Message.parse(written)
    assert written.count(b"\n") == 3
    assert [len(one.text.split("#")) for one in after.segments()] == [
        len(one.text.split("#")) for one in before.segments()
    ]
    assert after.value("PID-3[1].4.2") == "1.2.250.1.999.1"
    assert (after.value("PID-3[1].5"), after.value("PID-8"), after.value("PID-1"), after.value("PID-11")) == (
        "PI", "F", "1", '""',
    )  # fmt: skip
    assert re.fullmatch(r"[A-Z]\$[A-Z]{2}", after.value("PID-5.1"))
    assert re.search("PAUL|4071|ZO|19850712", after.text) is None
    assert len(after.value("PID-5.2").encode("latin-1")) == 3


def test_json_keeps_ids_codes_and_authorities_and_nothing_it_does_not_know():
    event = {
        "type": "identity-created",
        "identifiers": [{"type": "PI", "authority": {"namespace": "GAM", "universal_id": "1.2.3"}, "value": "4071"}],
        "traits": {"birth_name": "DUPONT", "sex": "F"},
        "details": {"telecoms": [{"use": "0601020304", "kind": "PH", "value": "0601020304"}]},
        "into": "01a200cb68a1000000cb748a9e",
        "time": "2026-03-01T08:00:00.000Z",
        "checked": True,
        "reason": "Patient DUPONT unknown",
    }
    people = StandIns(b"k")
    people.of("F")
    redact_document(event, people)
    people.learning = False
    told = redact_document(event, people)
    assert told["identifiers"][0]["authority"] == event["identifiers"][0]["authority"]
    same = ("type", "into", "time", "checked")
    assert [told[key] for key in same] == [event[key] for key in same]
    assert (told["traits"]["sex"], told["details"]["telecoms"][0]["kind"]) == ("F", "PH")
    phone = told["details"]["telecoms"][0]
    assert phone["use"] == phone["value"] != "0601020304"
    assert re.fullmatch(r"Patient [A-Z]{6} unknown", told["reason"])
    assert re.search("DUPONT|4071|0601020304", str(told)) is None
