"""What holds whatever is sent, in whatever order: a model of several hospitals' feeds over a few numbers and INS."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from insigne.ins.status import Status
from insigne.registry import commands as cmd
from insigne.registry.decide import Decision
from insigne.registry.decision import Refused
from insigne.registry.settings import Policy, RegistrySettings
from insigne.registry.state import Encounter, Identity, StayHeader, WorkItem
from insigne.registry.values import Authority, Identifier, Ins

from .conftest import Base

AUTHORITIES = (Authority("HOSP", "1.2.250.1.999.1"), Authority("CLINIC", "1.2.250.1.999.2"))
NIR, NIA = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"
POLICIES = (
    Policy(),
    Policy(registry=RegistrySettings(overlay="apply", unknown_cancellation="accept")),
    Policy(trusted=frozenset({AUTHORITIES[0].key})),
)

numbers = st.builds(Identifier, st.just("PI"), st.sampled_from(AUTHORITIES), st.sampled_from("1234"))
shared = st.builds(Identifier, st.just("PN"), st.just(Authority("REGION", "1.2.250.1.999.9")), st.sampled_from("12"))
billing = st.builds(Identifier, st.just("NH"), st.just(Authority("NIR", NIR)), st.sampled_from("12"))
identifiers = st.lists(st.one_of(numbers, numbers, shared, billing), min_size=1, max_size=3).map(tuple)
matricules = st.sampled_from(("280026912345674", "280026912345998", "180026912345642"))
ins = st.lists(st.builds(Ins, matricules, st.sampled_from((NIR, NIA))), max_size=2).map(tuple)
codes = st.sampled_from(
    (
        (),
        ("PROV",),
        ("VALI",),
        ("VALI",),
        ("VALI", "HOMA"),
        ("PROV", "DOUT"),
        ("VALI", "DOUT"),
        ("PROV", "FICT"),
        ("DOUT", "FICT"),
        ("DOUT",),
        ("DESA",),
    )
)
traits = st.builds(
    cmd.TraitsAssertion,
    st.sampled_from((None, "MARTIN", "DURAND")),
    st.just("ALICE"),
    st.just("ALICE MARIE"),
    st.sampled_from(("19800214", "19790101")),
    st.sampled_from(("F", "F", "I")),
    st.just("69123"),
)
patients = st.builds(
    cmd.Patient,
    identifiers=identifiers,
    ins=ins,
    ins_deleted=st.booleans(),
    reliability=codes,
    traits=traits,
)
visits = st.builds(Identifier, st.just("VN"), st.sampled_from(AUTHORITIES), st.sampled_from("12"))
accounts = st.builds(Identifier, st.just("AN"), st.sampled_from(AUTHORITIES), st.sampled_from("12"))
movements = st.builds(
    cmd.MovementAssertion,
    ids=st.tuples(st.sampled_from(("M1", "M2"))),
    trigger=st.sampled_from(("A01", "A02", "A03", "A05", "A11", "Z99")),
    action=st.sampled_from(("INSERT", "INSERT", "UPDATE", "CANCEL")),
    start=st.sampled_from(("20260301", "202603011200")),
)
commands = st.one_of(
    st.builds(cmd.RecordPatient, patients),
    st.builds(cmd.RecordPatient, patients),
    st.builds(cmd.MergePatients, patients, identifiers),
    st.builds(cmd.MergePatients, patients, identifiers),
    st.builds(cmd.ReplaceIdentifiers, patients, st.lists(numbers, max_size=1).map(tuple), ins),
    st.builds(cmd.LinkPatients, patients, patients, unlink=st.booleans()),
    st.builds(
        cmd.RecordMovement,
        patient=patients,
        header=st.builds(StayHeader, st.sampled_from("IO")),
        cleared=st.sampled_from(((), ("discharge_time",))),
        visit=st.none() | visits,
        account=st.none() | accounts,
        movement=st.none() | movements,
    ),
    st.builds(
        lambda patient, prior, account: cmd.MoveAccounts((cmd.MoveAccount(patient, prior, account),)),
        patients,
        identifiers,
        st.none() | accounts,
    ),
    st.builds(cmd.RenumberAccount, patients, accounts, accounts),
)


class Feeds(RuleBasedStateMachine):
    """Commands of any kind, over a base whose lookups are computed anew each time."""

    policy = POLICIES[0]

    def __init__(self) -> None:
        super().__init__()
        self.base = Base(self.policy)
        self.accepted: set[tuple[str, str, str]] = set()

    @rule(command=commands)
    def send(self, command: Any) -> None:
        before = (dict(self.base.states), len(self.base.journal))
        try:
            decision = self.base.does(command)
        except Refused:
            assert (self.base.states, len(self.base.journal)) == before
            return
        assert isinstance(decision, Decision)
        assert decision.subject == "" or self.base.identity(decision.subject) is not None
        for notice in decision.notices:
            assert notice.text
            assert notice.text_fr
        for identity in self.base.identities():
            self.accepted |= {held.identifier.key for held in identity.identifiers}

    @invariant()
    def every_merged_identity_has_one_survivor(self) -> None:
        for identity in self.base.identities():
            survivor = self.base.survivor(identity)
            assert survivor.merged_into == ""
            if identity.merged_into:
                master = self.base.identity(identity.merged_into)
                assert master is not None
                assert identity.id in master.absorbed

    @invariant()
    def no_ins_is_held_uncontested_twice_in_a_domain(self) -> None:
        held: set[tuple[str, str]] = set()
        for identity in self.base.identities():
            if identity.ins is not None and not identity.ins.contested and not identity.merged_into:
                key = (identity.domain, identity.ins.ins.matricule)
                assert key not in held
                held.add(key)

    @invariant()
    def an_ins_is_contested_as_long_as_another_of_the_domain_holds_it_and_no_longer(self) -> None:
        holders: dict[tuple[str, str], list[Identity]] = {}
        for identity in self.base.identities():
            if identity.ins is not None and not identity.merged_into:
                holders.setdefault((identity.domain, identity.ins.ins.matricule), []).append(identity)
        for rivals in holders.values():
            contested = sum(one.ins is not None and one.ins.contested for one in rivals)
            assert len(rivals) - 1 <= contested <= (len(rivals) if len(rivals) > 1 else 0)
        held = {one.id: key for key, rivals in holders.items() for one in rivals}
        for task in self.base.tasks():
            if task.kind == "same-ins":
                assert len({held.get(subject, subject) for subject in task.subjects}) == 1

    @invariant()
    def a_qualified_identity_holds_a_checked_ins_and_no_barring_attribute(self) -> None:
        for identity in self.base.identities():
            assert identity.qualified == (identity.status is Status.QUAL)
            if identity.ins is not None:
                assert identity.checked
                assert not {"DOUT", "FICT"} & set(identity.attributes)
                assert identity.traits.sex in {"M", "F"} or identity.status is not Status.QUAL

    @invariant()
    def no_identifier_is_lost_and_none_names_two_living_people(self) -> None:
        known: dict[tuple[str, str, str], list[Identity]] = {}
        for identity in self.base.identities():
            for held in identity.identifiers:
                known.setdefault(held.identifier.key, [])
                if held.current and not identity.merged_into and held.identifier.type in {"PI", "PN"}:
                    known[held.identifier.key].append(identity)
        assert self.accepted <= known.keys()
        assert all(len(holders) <= 1 for holders in known.values())

    def teardown(self) -> None:
        """The journal alone gives the states back."""
        assert self.base.rebuilt() == self.base.states

    @invariant()
    def every_object_counts_its_events(self) -> None:
        counts: dict[tuple[str, str], int] = {}
        for record in self.base.journal:
            key = (record.stream, record.stream_id)
            counts[key] = counts.get(key, 0) + 1
            assert record.version == counts[key]
        for key, state in self.base.states.items():
            assert isinstance(state, Identity | Encounter | WorkItem)
            assert state.version == counts[key]

    @invariant()
    def a_task_is_open_once_for_its_subjects(self) -> None:
        keys = [task.key for task in self.base.tasks()]
        assert len(keys) == len(set(keys))


class LenientFeeds(Feeds):
    policy = POLICIES[1]


class UntrustedFeeds(Feeds):
    policy = POLICIES[2]

    @invariant()
    def what_nobody_trusted_asserted_holds_no_ins(self) -> None:
        for identity in self.base.identities():
            assert identity.trusted or identity.ins is None


_SHORT = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestFeeds = Feeds.TestCase
TestFeeds.settings = _SHORT
TestLenientFeeds = LenientFeeds.TestCase
TestLenientFeeds.settings = _SHORT
TestUntrustedFeeds = UntrustedFeeds.TestCase
TestUntrustedFeeds.settings = _SHORT
