"""A simulated hospital told to a second repository, in every edition: nothing is lost but what the edition lacks."""

import pytest
from hl7apy.parser import parse_message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

import hl7
from insigne.hl7 import Message
from insigne.pam.decode import decode
from insigne.pam.editions import EDITIONS
from insigne.pam.encode import Encoded, FieldRule, Nothing, SubscriptionSettings, Withheld, dialect_of, encode, notices
from insigne.pam.rules.context import ValidationContext
from insigne.pam.rules.plan import plan_of
from insigne.pam.validate import validate
from insigne.registry.decide import decide
from insigne.registry.source import Source
from insigne.registry.state import Encounter, Identity
from insigne.registry.values import Collection, Details, Dmp, Ins
from insigne.registry.workingset import WorkingSet
from insigne.simulate.hospital import HospitalSettings, generate

from .conftest import Repository

TEST = ValidationContext(environment="test")
FRENCH_WITHOUT_INS = ("2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9")
PLAIN = ("PAM-2.5", "HL7-2.5", "HL7-2.5.1", "HL7-2.4", "HL7-2.3.1")


def hospital(patients=60, seed=5, **more):
    """The messages of a simulated hospital, each with the time it is received."""
    for made in generate(HospitalSettings(patients, seed=seed, wrong=0, **more)):
        message = Message.parse(made.payload)
        at = message.value("MSH-7")
        yield message, f"{at[:4]}-{at[4:6]}-{at[6:8]}T{at[8:10]}:{at[10:12]}:{at[12:14]}Z"


def told(edition, **feed):
    """Play a hospital: the repository, one that only hears of it in that edition, and every outcome."""
    dialect = dialect_of(SubscriptionSettings(edition=edition, application="DPI"), name="DPI", environment="test")
    source, mirror = Repository(), Repository()
    outcomes = []
    for message, time in hospital(**feed):
        for notice in source.receives(message, time):
            states = {(ref.stream, ref.id): source.states[(ref.stream, ref.id)] for ref in notice.refs}
            current = source.identity(notice.subject)
            outcome = encode(notice, states, current, dialect, control_id=f"C{len(outcomes)}", time=time)
            outcomes.append(outcome)
            if isinstance(outcome, Encoded):
                mirror.receives(Message.parse(outcome.raw), time)
    return source, mirror, outcomes, dialect


def by_number(repository):
    """The standing identities by their local number."""
    return {
        held.identifier.value: identity
        for identity in repository.identities()
        if not identity.merged_into
        for held in identity.identifiers
        if held.current and held.identifier.type == "PI"
    }


def by_visit(repository):
    return {stay.visit.value: stay for stay in repository.stays() if stay.visit is not None}


def known_details(details: Details, edition: str) -> Details:
    """What an edition carries of the complementary traits (pam-fr §1, §3.8)."""
    if edition in ("2.11.1", "2.11.2"):
        return details
    # The date of update alone is no change: it is not told again when nothing else that is told changed.
    details = replace(details, last_update="")
    if edition == "2.11.0":  # ZFA-10 and 12 empty, ZFA-11 with other codes
        return replace(details, dmp=replace(details.dmp, feeding_date="", consulting="", consulting_date=""))
    details = replace(details, dmp=Dmp())  # ITI-30 carries ZFA since 2.11
    if edition in ("2.10", "2.10.0"):
        return details
    details = replace(details, collection=Collection())
    if edition in ("2.3", "2.4", "2.5", "2.6", *PLAIN):
        details = replace(details, legal_care_modes=())
    if edition in ("2.3", "2.4", "2.5", *PLAIN):
        details = replace(details, sms_consent="")
    if edition in PLAIN:
        details = replace(details, gestation_weeks="", lunar_birth_date="", occupation="", occupation_group="")
    return details


def seen(identity: Identity, edition: str):
    """What a receiver knows of a person in that edition."""
    held = identity.ins.ins if identity.ins is not None and not identity.ins.contested else None
    carried: Ins | None = None if edition in FRENCH_WITHOUT_INS else held
    attributes = () if edition in FRENCH_WITHOUT_INS else identity.attributes
    numbers = {one.identifier.key for one in identity.identifiers if one.current}
    return (
        identity.traits,
        asdict(known_details(identity.details, edition)),
        identity.checked,
        attributes,
        carried,
        numbers,
    )


def stay_seen(stay: Encounter, edition: str):
    """What a receiver knows of a stay: everything but the PMSI and the complements of plain HL7."""
    header = stay.header
    if edition in PLAIN:
        header = replace(header, admit_mode="", discharge_mode="", emergency_passage="")
    elif edition not in ("2.11.0", "2.11.1", "2.11.2"):
        header = replace(
            header, emergency_passage="", admit_mode="" if header.admit_mode in "NO" else header.admit_mode
        )
    movements = [
        replace(movement, location=movement.location if movement.trigger != "A05" else type(movement.location)())
        for movement in stay.movements
    ]
    return header, stay.visit, stay.account, movements


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_hospital_told_in_an_edition_is_known_the_same_by_who_hears_of_it(edition):
    source, mirror, outcomes, dialect = told(edition)
    expected, heard = by_number(source), by_number(mirror)
    assert {number: seen(one, edition) for number, one in heard.items()} == {
        number: seen(one, edition) for number, one in expected.items()
    }
    stays, heard_stays = by_visit(source), by_visit(mirror)
    assert {number: stay_seen(one, edition) for number, one in heard_stays.items()} == {
        number: stay_seen(one, edition) for number, one in stays.items()
    }
    assert all(isinstance(one, Encoded) or one == Nothing("ins-not-shown") for one in outcomes)
    for outcome in outcomes:
        if isinstance(outcome, Encoded):
            assert outcome.left_out == ()
            findings = validate(Message.parse(outcome.raw), dialect.edition, TEST)
            assert [finding for finding in findings if finding.severity == "error"] == []


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.sampled_from(["2.11.1", "2.11.2"]))
def test_any_hospital_told_in_2_11_is_known_the_same(seed, edition):
    source, mirror, outcomes, _ = told(edition, patients=25, seed=seed)
    expected, heard = by_number(source), by_number(mirror)
    assert {number: seen(one, edition) for number, one in heard.items()} == {
        number: seen(one, edition) for number, one in expected.items()
    }
    assert all(isinstance(one, Encoded) for one in outcomes)


def test_a_batch_tells_what_its_decisions_tell_one_by_one():
    """States are those of each decision, though the view shows only what the whole batch left."""
    apart, together = Repository(), Repository()
    expected, told_together = [], []
    batch: list[tuple[Message, str]] = []
    feed = list(hospital(80))
    for rank, (message, time) in enumerate(feed, 1):
        expected += apart.receives(message, time)
        batch.append((message, time))
        if len(batch) < 40 and rank < len(feed):
            continue
        working = WorkingSet(together)
        for one, at in batch:
            child = WorkingSet(working)
            source = Source(at, "GAM|HOSP", "message", str(next(together._causes)))
            decide(decode(one), child, source, together.policy, together._ids.__next__)
            working.absorb(child)
        told_together += notices(working.records, working)
        together.settled(working)
        batch = []
    assert len(expected) > 300
    assert told_together == expected


@pytest.fixture(scope="module")
def samples():
    """One message of each event, in 2.11."""
    _, _, outcomes, _ = told("2.11.2", patients=150)
    found = {outcome.event: outcome.raw for outcome in outcomes if isinstance(outcome, Encoded)}
    assert len(found) > 20
    return found


def test_what_is_written_is_validated_at_a_glance(samples):
    """One expression matches each segment whole; only escapes are read a second time."""
    for raw in samples.values():
        for segment in Message.parse(raw).segments():
            plan = plan_of(EDITIONS["2.11.2"], segment.name)
            assert plan is not None
            assert "\\" in segment.text[9:] or plan.is_clean(segment.text)


def test_python_hl7_reads_the_same_values_back(samples):
    for raw in samples.values():
        ours, theirs = Message.parse(raw), hl7.parse(raw.decode())
        for segment, peer in zip(ours.segments(), theirs, strict=True):
            for number in range(1, segment.field_count + 1):
                found = [
                    [[str(part) for part in component] for component in repetition]
                    for repetition in _repetitions(peer, number)
                ]
                mine = [[list(component) for component in repetition] for repetition in segment.decoded(number)]
                unescaped = [[[theirs.unescape(part) for part in c] for c in repetition] for repetition in found]
                assert (number < 3 and segment.name == "MSH") or unescaped == mine


def _repetitions(segment, number):
    """The repetitions, components and sub-components of a field as python-hl7 splits them."""
    field = segment[number] if number < len(segment) else ""
    if not str(field):
        return []
    return [
        [list(component) if isinstance(component, hl7.Component) else [component] for component in repetition]
        if isinstance(repetition, hl7.Repetition)
        else [[repetition]]
        for repetition in field
    ]


def test_hl7apy_reads_the_same_values_back(samples):
    """Values at the places that matter; hl7apy knows the structures of HL7 2.5, not the French segments."""
    places = ("pid_3", "pid_5", "pid_7", "pid_8", "pid_11", "pid_18", "pid_32", "pv1_2", "pv1_3", "pv1_19", "mrg_1")
    for raw in samples.values():
        ours = Message.parse(raw)
        theirs = parse_message(raw.decode(), find_groups=False)
        for place in places:
            name, number = place.split("_")
            segment = ours.segment(name.upper())
            if segment is None or not segment.field(int(number)):
                continue
            peer = getattr(getattr(theirs, name), place)
            assert "~".join(field.to_er7() for field in peer) == segment.field(int(number))


def test_a_class_of_stay_that_an_edition_lacks_is_held_unless_a_rule_names_another():
    """Tele-monitoring (V) came with 2.11.1."""
    classes = [FieldRule(action="map", path="PV1-2", codes={"V": "O"})]
    source = Repository()
    told_of = [notice for message, time in hospital(25, seed=0) for notice in source.receives(message, time)]
    watched = [one for one in told_of if one.movement and source.encounter(one.encounter).header.patient_class == "V"]
    assert watched
    assert all(isinstance(source.written(one, edition="2.11.0"), Withheld) for one in watched)
    assert all(isinstance(source.written(one, edition="2.11.0", rules=classes), Encoded) for one in watched)


def test_every_value_of_the_header_is_the_receivers(samples):
    for event, raw in samples.items():
        header = Message.parse(raw)
        assert "^".join((header.message_code, header.trigger, header.structure)) == event
        assert (header.receiving_application, header.receiving_facility) == ("DPI", "DPI")
