"""The truth file says what a receiver holds: a small receiver, written here from PAM-FR, folds the feed to check it."""

from dataclasses import dataclass, field

import pytest

from insigne.hl7 import NULL, Message
from insigne.simulate.hospital import HospitalSettings, generate, truth

AFTER = {"A05": "planned", "A14": "planned", "A21": "onleave", "A03": "finished"}
IN_PROGRESS = {"A01", "A04", "A06", "A07", "A22"}


@dataclass
class Held:
    """What the receiver holds of a patient."""

    traits: tuple = ()
    ins: tuple | None = None
    reliability: list = field(default_factory=list)

    @property
    def status(self):
        if self.reliability[0] != "VALI" or {"DOUT", "FICT"} & set(self.reliability):
            return "PROV"
        return "QUAL" if self.ins else "VALI"


class Receiver:
    """Applies messages by PAM-FR 2.11.2 §4.4 and §6, with nothing of the product's registry."""

    def __init__(self):
        self.patients, self.merged, self.stays, self.owner = {}, {}, {}, {}
        self.accounts, self.links = {}, set()

    def receive(self, message):
        trigger = message.trigger
        ipp = self._ipp(message, "PID")
        if trigger == "A40":
            return self._merge(self._mrg(message), ipp)
        if trigger in {"A24", "A37"}:
            other = self._ipp(message, "PID(2)")
            return (self.links.add if trigger == "A24" else self.links.discard)(frozenset((ipp, other)))
        if trigger == "A44":
            return self._move(message.value("MRG-3"), self._mrg(message), ipp)
        if trigger == "A49":
            return self._renumber(message.value("MRG-3"), message.value("PID-18"))
        if trigger == "A47":
            return self._change(message, ipp)
        self._know(message, ipp)
        if message.segment("ZBE"):
            self._move_patient(message, ipp)
        return None

    def _ipp(self, message, segment):
        found = [value for type_, _, value in self._identifiers(message, segment) if type_ == "PI"]
        return found[0]

    def _mrg(self, message):
        return message.value("MRG-1")

    def _identifiers(self, message, segment="PID"):
        name, _, occurrence = segment.rstrip(")").partition("(")
        found = message.segments(name)[int(occurrence or 1) - 1]
        number = 3 if name == "PID" else 1
        return [
            (found.value(number, 5, 1, n), found.value(number, 4, 2, n), found.value(number, 1, 1, n))
            for n in range(1, len(found.repetitions(number)) + 1)
        ]

    def _know(self, message, ipp):
        pid = message.segment("PID")
        held = self.patients.setdefault(ipp, Held())
        held.reliability = [pid.value(32, 1, 1, n) for n in range(1, len(pid.repetitions(32)) + 1)]
        given = pid.value(5, 3) or pid.value(5, 2)
        held.traits = (pid.value(5), given, pid.value(8), pid.value(7), pid.value(11, 9, 1, 2))
        numbers = sorted((oid, value) for type_, oid, value in self._identifiers(message) if type_ == "INS")
        if held.reliability[0] != "VALI":
            held.ins = None
        elif numbers:
            held.ins = numbers[0]  # .8 or .10 (NIR) sorts before .9 (NIA)

    def _change(self, message, ipp):
        pid = message.segment("PID")
        if message.value("MRG-1.5") == "PI":
            before = self._mrg(message)
            self.patients[ipp] = self.patients.pop(before)
            self.owner = {visit: ipp if owner == before else owner for visit, owner in self.owner.items()}
            self.links = {frozenset(ipp if one == before else one for one in pair) for pair in self.links}
            return
        held = self.patients[ipp]
        assert held.ins == (message.value("MRG-1.4.2"), message.value("MRG-1.1"))
        ((oid, value),) = [(oid, value) for type_, oid, value in self._identifiers(message) if type_ == "INS"]
        held.ins = None if value == NULL else (oid, value)
        held.reliability[0] = pid.value(32)

    def _merge(self, prior, ipp):
        assert prior in self.patients
        self.merged[prior] = ipp
        for visit, owner in self.owner.items():
            if owner == prior:
                self.owner[visit] = ipp

    def _move(self, account, source, target):
        for visit, number in self.accounts.items():
            if number == account:
                assert self.owner[visit] == source
                self.owner[visit] = target

    def _renumber(self, before, after):
        self.accounts = {visit: after if number == before else number for visit, number in self.accounts.items()}

    def _move_patient(self, message, ipp):
        visit = message.value("PV1-19")
        stay = self.stays.setdefault(visit, [])
        assert self.owner.setdefault(visit, ipp) == ipp
        assert self.accounts.setdefault(visit, message.value("PID-18")) == message.value("PID-18")
        number, action = message.value("ZBE-1"), message.value("ZBE-4")
        place = message.segment("PV1")
        seen = {
            "id": number,
            "trigger": message.trigger,
            "cancelled": False,
            "class": message.value("PV1-2"),
            "location": " ".join(place.value(3, n) for n in (1, 2, 3)).strip(),
        }
        if action == "INSERT":
            assert all(one["id"] != number for one in stay)
            stay.append(seen)
            return
        (movement,) = [one for one in stay if one["id"] == number and not one["cancelled"]]
        assert movement["trigger"] == message.value("ZBE-6")
        if action == "CANCEL":
            movement["cancelled"] = True
        else:
            movement["location"] = seen["location"]

    def stays_of(self, ipp):
        return [self._stay(visit) for visit, owner in self.owner.items() if owner == ipp]

    def _stay(self, visit):
        standing = [one for one in self.stays[visit] if not one["cancelled"]]
        status = "cancelled"
        for one in standing:
            status = "in-progress" if one["trigger"] in IN_PROGRESS else AFTER.get(one["trigger"], status)
        return {
            "visit": visit,
            "account": self.accounts[visit],
            "class": standing[-1]["class"] if standing else None,
            "status": status,
            "location": next((one["location"] for one in reversed(standing) if one["location"]), ""),
            "movements": [(one["id"], one["trigger"], one["cancelled"]) for one in self.stays[visit]],
        }


SETTINGS = HospitalSettings(patients=2000, seed=31, people=2300, wrong=0.05)


@pytest.fixture(scope="module")
def people():
    return list(truth(SETTINGS))


@pytest.fixture(scope="module")
def receiver():
    receiver, seen = Receiver(), set()
    for message in generate(SETTINGS):
        harmless = message.why == "valid" or "INS is ignored" in message.why
        if harmless and message.control_id not in seen:
            receiver.receive(Message.parse(message.payload))
        seen.add(message.control_id)
    return receiver


def known(people):
    return [(person.identifiers[0].value, person) for person in people if person.identifiers]


def test_the_receiver_knows_exactly_the_patients_of_the_truth(receiver, people):
    assert set(receiver.patients) == {ipp for ipp, _ in known(people)}


def test_the_receiver_holds_the_ins_and_the_status_of_the_truth(receiver, people):
    for ipp, person in known(people):
        held = receiver.patients[ipp]
        ins = (person.ins.oid, person.ins.matricule) if person.ins else None
        assert (held.ins, held.status) == (ins, person.status), ipp


def test_the_receiver_holds_the_traits_of_the_truth(receiver, people):
    for ipp, person in known(people):
        traits = person.traits
        assert receiver.patients[ipp].traits == (
            traits.birth_name,
            " ".join(traits.given_names),
            traits.sex,
            traits.birth_date.replace("-", ""),
            traits.birth_place,
        )


def test_the_receiver_holds_the_merges_and_the_links_of_the_truth(receiver, people):
    ipps = {person.person: ipp for ipp, person in known(people)}
    merged = {ipp: ipps[person.merged_into] for ipp, person in known(people) if person.merged_into}
    assert receiver.merged == merged
    links = {frozenset((ipp, ipps[other])) for ipp, person in known(people) for other in person.links}
    assert receiver.links == links
    assert merged
    assert links


def test_the_receiver_holds_the_stays_of_the_truth(receiver, people):
    for ipp, person in known(people):
        held = {stay["visit"]: stay for stay in receiver.stays_of(ipp)}
        assert set(held) == {stay.visit for stay in person.stays}
        for stay in person.stays:
            found = held[stay.visit]
            assert found["account"] == stay.account
            assert found["status"] == stay.status
            assert found["location"] == stay.location
            assert found["class"] in {None, stay.class_}
            assert found["movements"] == [(m.id, m.trigger, m.cancelled) for m in stay.movements]


def test_there_are_as_many_people_as_asked_and_duplicates_come_on_top(people):
    originals = [person for person in people if person.duplicates_of is None]
    assert len(originals) == 2300
    assert sum(not person.identifiers for person in originals) == 300
    names = {person.person: person for person in people}
    assert len(names) == len(people)
    duplicates = [person for person in people if person.duplicates_of]
    assert {person.merged_into for person in duplicates} > {None}
    assert all(names[person.duplicates_of].duplicates_of is None for person in duplicates)


def test_a_national_ins_belongs_to_one_person_only(people):
    numbers = [(p.national.oid, p.national.matricule) for p in people if p.national]
    numbers += [(past.oid, past.matricule) for p in people if p.national for past in p.national.history]
    assert len(set(numbers)) == len(numbers)


def test_an_ins_held_is_the_one_insi_answers(people):
    qualified = [person for person in people if person.ins]
    assert all((p.ins.oid, p.ins.matricule) == (p.national.oid, p.national.matricule) for p in qualified)
    assert any(person.national.history for person in qualified)


def test_every_kind_of_person_comes(people):
    assert {person.status for person in people} == {"PROV", "VALI", "QUAL", None}
    assert {attribute for person in people for attribute in person.attributes} == {"HOMA", "DOUT", "FICT"}
    assert any(person.mother for person in people)
    assert any(person.billing_nir for person in people)
    assert {person.national.oid[-2:] for person in people if person.national} == {".8", ".9"}
