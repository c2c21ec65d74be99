"""What a hostile message costs the validator: time that grows with its length alone, and no memory kept."""

import time

from insigne.hl7 import Message
from insigne.pam import validate as validator
from insigne.pam.editions import edition_of
from insigne.pam.validate import validate

HEAD = (
    "MSH|^~\\&|GAM|CHU-LYS|DPI|CHU-LYS|20250102101112||ADT^A28^ADT_A05|MSG1|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR\r"
    "EVN||20250102101112\r"
    "PID|||1^^^CHU-LYS&1.2.250.1.999.1&ISO^PI||VALBERTIN^MAELYS^MAELYS^^^^L||19850612|F" + "|" * 24 + "PROV\r"
)


def findings_of(text):
    message = Message.parse(text.encode())
    return validate(message, edition_of(message)[0])


def test_a_message_of_many_segments_takes_time_in_proportion_to_its_length():
    text = HEAD + "NK1|1|DOE^ALIX^^^^^L|MTH||||C\r" * 30_000 + "PV1||N\r"
    started = time.monotonic()
    findings_of(text)
    # A second or two; fifteen when each segment looks at all those after it.
    assert time.monotonic() - started < 8.0


def test_an_out_of_place_segment_is_still_told_when_thousands_follow():
    text = HEAD.replace("PID|", "PV1||N\rPID|") + "NK1|1|DOE^ALIX^^^^^L|MTH||||C\r" * 2_000
    assert ("V08", "PV1") in {(one.rule, str(one.location)) for one in findings_of(text)}


def test_a_sequence_of_segments_beyond_any_feed_is_not_remembered():
    before = len(validator._sequences)
    findings_of(HEAD + "PV1||N\r" + "OBX|1|NM|3142-7^Poids^LN||72|kg|||||F\r" * 1_000)
    assert len(validator._sequences) == before


def test_fields_are_not_looked_at_once_nothing_more_will_be_told(monkeypatch):
    looked = []
    genuine = validator.check_fields
    monkeypatch.setattr(validator, "check_fields", lambda *a, **k: looked.append(a) or genuine(*a, **k))
    assert len(findings_of(HEAD + "NK1|1\r" * 5_000 + "PV1||N\r")) == 200
    assert len(looked) <= 200
