"""Reading queries whatever they hold, and answers that read back: the pure part of PIX and PDQ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigne.hl7 import Hl7Error, Message
from insigne.pam.query import Criteria, QueryRefused, Reply, Wanted, read_query, respond
from insigne.registry.state import Identity
from insigne.registry.values import Address, Authority, Details, Telecom, Traits

TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x0b\x1c"), max_size=40)
WILD = st.lists(st.one_of(TEXT, st.sampled_from(["|", "^", "~", "&", "\\", "@PID.7", "@PID.5.1.1", "T1"])), max_size=20)


def query(trigger, rest):
    head = f"MSH|^~\\&|DPI|CHU|INSIGNE|GHT|20260301||QBP^{trigger}^QBP_Q21|Q1|P|2.5||||||8859/1\r"
    return (head + rest).encode("latin-1")


def read_or_refused(message):
    try:
        return read_query(message)
    except QueryRefused as refused:
        return refused


@settings(max_examples=200)
@given(st.sampled_from(["Q22", "Q23"]), WILD, TEXT, TEXT)
def test_any_query_is_read_or_refused_with_a_place_and_its_answer_reads_back(trigger, parts, rcp, dsc):
    raw = query(trigger, f"QPD|{''.join(parts)}\rRCP|{rcp}\rDSC|{dsc}\r")
    try:
        message = Message.parse(raw)
    except Hl7Error:
        return
    read = read_or_refused(message)
    if isinstance(read, QueryRefused):
        assert read.condition in {"100", "101", "102", "103", "204"}
        assert read.place.segment
    reply = Reply("AE", "AE") if isinstance(read, QueryRefused) else Reply("AA", "NF")
    answer = Message.parse(respond(message, reply, time="20260301083000+0100", control_id="R1"))
    assert (answer.value("MSA-1"), answer.value("MSA-2")) == (reply.code, "Q1")
    if message.segment("QPD") is not None:
        assert answer.value("QAK-1") == message.value("QPD-2")
        assert answer.segment("QPD").decoded(3) == message.segment("QPD").decoded(3)


def test_parameters_are_read_by_what_they_name():
    raw = query(
        "Q22",
        "QPD|IHE PDQ Query|T1|@PID.3.1^77~@PID.3.4.1^LAB~@PID.3.4.2^1.2.3~@PID.3.4.3^ISO~@PID.3.5^PI~@PID.5.1.1^LE*"
        "~@PID.7^19620305~@PID.8^m~@PID.11.5^29200|||||^^^GAM\rRCP|I|10^RD\rDSC|p1|I\r",
    )
    found = read_query(Message.parse(raw))
    assert found.criteria == Criteria(
        identifier=Wanted("77", Authority("LAB", "1.2.3", "ISO"), "PI"),
        family="LE*",
        birth_date="19620305",
        sex="M",
        postal_code="29200",
    )
    assert (found.asked.tag, found.asked.page, found.asked.pointer) == ("T1", 10, "p1")
    assert found.asked.domains == (Authority("GAM"),)


PERSON = Identity(
    id="1",
    domain="GAM",
    version=1,
    created="",
    updated="",
    traits=Traits("LE GOFF", "YANN", "YANN MARIE", "19620305", "M", "29019"),
    details=Details(
        used_name="LE GOFF-ROUX",
        addresses=(Address(use="H", city="Brest", postal_code="29200", country="FRA"),),
        telecoms=(Telecom("PRN", "PH", "02 98 00 00 00"),),
    ),
)


@pytest.mark.parametrize(
    ("criteria", "met"),
    [
        (Criteria(family="le goff"), True),
        (Criteria(family="LEGOFF-ROUX"), True),
        (Criteria(family="GOFF"), False),
        (Criteria(family="LE*"), True),
        (Criteria(given="marie"), True),
        (Criteria(given="YANNICK"), False),
        (Criteria(birth_date="19620305", sex="F"), False),
        (Criteria(city="BREST", postal_code="29*", country="fra"), True),
        (Criteria(city="QUIMPER"), False),
        (Criteria(phone="0298000000"), True),
    ],
)
def test_a_person_meets_what_is_asked_or_does_not(criteria, met):
    assert criteria.met_by(PERSON) is met
