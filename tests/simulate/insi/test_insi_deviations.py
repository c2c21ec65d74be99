"""Each known deviation of real answers, shown on demand, and still read by the product's own reader."""

import pytest

from insigne.insi.wire import read_answer
from insigne.simulate.insi.people import test_people as official_people

ZOE = ("ADRUN", "ZOE", "F", "1975-12-31")
PIERRE_ALAIN = ("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14")
ANTHONY = ("CORSE", "ANTHONY", "M", "1980-03-02")
NOBODY = ("HOUILLES", "PIERRE", "M", "1993-01-27")


def answer(service, written, deviations, traits, mode="production", **changes):
    tse = service(deviations=None if deviations is None else frozenset(deviations), mode=mode)
    reply = tse.post(written(*traits, **changes))
    return reply.body.decode(), read_answer(reply.status, reply.body)


def test_d1_mixes_prefixes_of_the_same_namespace(service, written):
    text, found = answer(service, written, {"D1"}, ZOE)
    assert "<soap:Envelope" in text
    assert "<env:Body" in text
    assert found.code == "00"


def test_d2_says_fatal_where_the_schema_says_fatale(service, written):
    assert 'severite="fatal"' in answer(service, written, {"D2"}, NOBODY, "vendor")[0]
    assert 'severite="fatale"' in answer(service, written, (), NOBODY, "vendor")[0]


def test_d3_writes_the_dates_of_a_past_ins_before_its_number(service, written):
    text, found = answer(service, written, {"D3"}, PIERRE_ALAIN)
    assert "<INSHISTO><DateDeb>" in text
    assert found.history[0].matricule == "209076322083439"


def test_d4_turns_periods_round_and_leaves_those_recorded_so(service, written):
    _, found = answer(service, written, {"D4"}, PIERRE_ALAIN)
    assert found.history[0].start > found.history[0].end


def test_d5_repeats_the_active_ins_once(service, written):
    for traits in (ZOE, ANTHONY):
        _, found = answer(service, written, {"D5"}, traits)
        assert [past.number for past in found.history] == [found.active.number]


def test_d6_gives_a_key_that_fails(service, written):
    _, found = answer(service, written, {"D6"}, ZOE)
    assert found.active.number == "2751263220749"
    assert found.active.key != "74"


def test_d7_announces_french_as_english_for_the_service_not_for_the_platform(service, written):
    assert 'xml:lang="en"' in answer(service, written, {"D7"}, NOBODY, "vendor")[0]
    assert 'xml:lang="fr"' in answer(service, written, {"D7"}, ZOE, idam="INCONNU00000")[0]
    assert 'xml:lang="fr"' in answer(service, written, (), NOBODY, "vendor")[0]


def test_d8_words_the_fault_otherwise_and_keeps_its_codes(service, written):
    plain, fault = answer(service, written, (), NOBODY, "vendor")
    other, same = answer(service, written, {"D8"}, NOBODY, "vendor")
    assert plain != other
    assert (fault.subcode, fault.code) == (same.subcode, same.code)


def test_d9_echoes_the_message_id_for_the_platform_not_for_the_service(service, written):
    _, fault = answer(service, written, {"D9"}, ZOE, idam="INCONNU00000", message_id="0d0c")
    assert fault.message_id == "uuid:0d0c"
    assert "messageID" not in answer(service, written, {"D9"}, NOBODY, "vendor")[0]


def test_vendor_mode_shows_what_the_qualification_server_shows_and_production_nothing(service, written):
    vendor, _ = answer(service, written, None, NOBODY, "vendor")
    assert "<env:Body" in vendor
    assert 'severite="fatal"' in vendor
    assert 'xml:lang="en"' in vendor
    production, _ = answer(service, written, None, ZOE)
    assert "<env:Body" not in production


@pytest.mark.parametrize("person", official_people().people, ids=lambda person: person.ins.number)
def test_all_deviations_together_leave_every_answer_readable(service, written, person):
    every = {f"D{number}" for number in range(1, 10)}
    traits = (person.birth_name, person.given_names[0], person.sex, person.birth_date, person.birth_place)
    _, found = answer(service, written, every, traits)
    assert found.active.number == person.ins.number
