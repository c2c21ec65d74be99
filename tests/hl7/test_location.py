"""Locations, as people read them and as ERR-2 carries them."""

import pytest

from insigne.hl7 import Location


@pytest.mark.parametrize(
    ("location", "text", "erl"),
    [
        (Location("PID"), "PID", "PID^1"),
        (Location("ZBE", 2), "ZBE(2)", "ZBE^2"),
        (Location("ZBE", 2, 1), "ZBE(2)-1", "ZBE^2^1"),
        (Location("MSH", field=9, component=2), "MSH-9.2", "MSH^1^9^1^2"),
        (Location("PID", field=3, repetition=2), "PID-3[2]", "PID^1^3^2"),
        (Location("PID", 1, 3, 2, 5), "PID-3[2].5", "PID^1^3^2^5"),
        (Location("PID", 1, 3, 2, 4, 1), "PID-3[2].4.1", "PID^1^3^2^4^1"),
    ],
)
def test_a_location_is_written_for_people_and_for_err_2(location, text, erl):
    assert str(location) == text
    assert Location.parse(text) == location
    assert location.erl() == erl


def test_an_erl_uses_the_component_separator_of_the_message():
    assert Location("PID", 1, 3).erl(";") == "PID;1;3"


@pytest.mark.parametrize("text", ["", "pid-3", "PID-0", "PID-3[0]", "PID.3", "PID-3.", "PIDX-3", "PID-3[2", "PID-3 "])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is not an HL7 location"):
        Location.parse(text)
