"""Reading and changing ER7 messages."""

import pytest

from insigne.hl7 import Hl7Error, Location, Message

ADMISSION = (
    "MSH|^~\\&|GAM^1.2.250.1.999.3^ISO|CHU-NORD|INSIGNE|CHU-NORD|20260301101500+0100||ADT^A28^ADT_A05|MSG01|P"
    "|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR\r"
    "EVN||20260301101500+0100\r"
    "PID|1||77001^^^CHU-NORD&1.2.250.1.999.1&ISO^PI~555^^^LABO^PI||ORMEAU^ÉLISE^^^^^L||19870314|F\r"
    "ZBE|1\rZBE|2^B\r"
).encode()


def test_the_header_is_read_by_name():
    message = Message.parse(ADMISSION)
    assert (message.message_code, message.trigger, message.structure) == ("ADT", "A28", "ADT_A05")
    assert (message.version, message.version_country, message.version_extension) == ("2.5", "FRA", "2.11")
    assert (message.control_id, message.processing_id) == ("MSG01", "P")
    assert (message.sending_application, message.sending_facility) == ("GAM", "CHU-NORD")
    assert (message.receiving_application, message.receiving_facility) == ("INSIGNE", "CHU-NORD")


def test_a_message_written_again_unchanged_has_the_same_bytes():
    assert Message.parse(ADMISSION).encode() == ADMISSION


def test_a_message_without_msh_is_rejected():
    with pytest.raises(Hl7Error) as caught:
        Message.parse(b"PID|1\r")
    assert (caught.value.ack, caught.value.condition, caught.value.location) == ("AR", "100", Location("MSH"))
