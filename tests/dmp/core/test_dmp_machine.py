"""Any sequence of qualifications, losses, merges, consents, answers and kills: nothing is dropped, lost or misplaced.

What may never happen is asserted at each call by `dmp_world`: nothing leaves without the qualified INS of its patient,
nothing is fed twice, nothing stands in two patients' DMP. What must be true once all is quiet is asserted here.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from insigne.dmp.acts import ActRefused, abandon, confirm, retry, withdraw
from insigne.dmp.model import Intent
from insigne.dmp.reception import ReceptionRefused
from insigne.dmp.states import is_right
from insigne.dmp.whose import is_of_another_stay, whose
from insigne.store import upgrade

from .dmp_world import Killed, World, ins_of, stay_of

PATIENTS = ("A", "B", "C")
people = st.sampled_from(PATIENTS)
steps = st.lists(st.sampled_from(["ok", "meanwhile", "lost", "down", "refuse", "killed", "killed-before"]), max_size=4)
TEMPLATE = Path(tempfile.mkdtemp(prefix="insigne-dmp-")) / "insigne.db"


class DocumentsMachine(RuleBasedStateMachine):
    """Three patients, their documents, and everything that may happen."""

    @initialize()
    def begin(self):
        if not TEMPLATE.exists():
            upgrade(f"sqlite:///{TEMPLATE}")
        self.folder = tempfile.mkdtemp(prefix="insigne-dmp-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        shutil.copy(TEMPLATE, self.folder)
        # One call at a time: what a script does to a patient during a call would be in the way of another one.
        self.world = World(f"sqlite:///{self.folder}/insigne.db", without_consent="hold", queue={"parallel": 1})
        for name in PATIENTS:
            self.world.admit(name, feeding="INO")
            self.world.open_stay(name)
        self.stays = {name: name for name in PATIENTS}
        self.number = 0
        self.received = []
        self.missing = []

    # --- documents come

    @rule(patient=people, stay=people)
    def a_document_comes(self, patient, stay):
        """Of a stay of the patient, or of none."""
        known = {"stay": stay_of(patient)} if stay == patient else {}
        self._taken(self.world.document(self._next(), patient, **known))

    @rule(patient=people, owner=people, script=steps)
    def a_stay_is_opened_after_its_document_came(self, patient, owner, script):
        """For whom it is, or for somebody else."""
        number = self._next()
        stay = f"{patient}{number}"
        self.stays[stay] = patient
        self._taken(self.world.document(number, patient, stay=stay_of(stay)))
        self.the_worker_works(script)
        self.world.open_stay(stay, owner)

    @rule(patient=people, data=st.data())
    @precondition(lambda self: self.received)
    def a_replacement_comes(self, patient, data):
        self._taken(self.world.replacement(self._next(), data.draw(st.sampled_from(self.received)), patient))

    @rule(patient=people, data=st.data())
    @precondition(lambda self: self.received)
    def a_deletion_comes(self, patient, data):
        self._taken(self.world.deletion(self._next(), data.draw(st.sampled_from(self.received)), patient))

    @rule(patient=people, deleted=st.booleans())
    def what_replaces_or_deletes_a_version_comes_before_it(self, patient, deleted):
        missing, number = self._next(), self._next()
        self.missing.append((missing, patient))
        self._taken((self.world.deletion if deleted else self.world.replacement)(number, missing, patient))

    @rule(data=st.data())
    @precondition(lambda self: self.missing)
    def a_version_that_was_missing_comes(self, data):
        number, patient = data.draw(st.sampled_from(self.missing))
        self.missing.remove((number, patient))
        self._comes_at_last(number, patient)

    def _comes_at_last(self, number, patient):
        with suppress(ReceptionRefused):
            self.world.receive(*self.world.document(number, patient))
            self.received.append(number)

    def _next(self):
        self.number += 1
        return self.number

    def _taken(self, arrived):
        document, body = arrived
        try:
            self.world.receive(document, body)
        except ReceptionRefused:
            return
        if document.intent is not Intent.DELETE:
            self.received.append(self.number)

    # --- patients change

    @rule(patient=people, number=people)
    def an_identity_is_qualified(self, patient, number):
        state = self.world.identity(patient)
        others = [one for one in PATIENTS if one != patient and self._holds(one, number)]
        if not state.merged_into and not others and "DOUT" not in state.attributes:
            self.world.qualify(patient, ins_of(number))

    def _holds(self, patient, number):
        held = self.world.identity(patient).ins
        return held is not None and held.ins == ins_of(number)

    @rule(patient=people)
    def an_ins_is_lost(self, patient):
        if not self.world.identity(patient).merged_into:
            self.world.downgrade(patient)

    @rule(patient=people, doubtful=st.booleans())
    def a_doubt_is_set_or_lifted(self, patient, doubtful):
        if not self.world.identity(patient).merged_into:
            if doubtful:
                self.world.downgrade(patient, "attribute DOUT")
            self.world.doubt(patient, doubtful=doubtful)

    @rule(patient=people, contested=st.booleans())
    def an_ins_is_contested_or_no_more(self, patient, contested):
        if not self.world.identity(patient).merged_into:
            self.world.contest(patient, contested=contested)

    @rule(patient=people, feeding=st.sampled_from(["INO", "IO", ""]))
    def a_patient_consents_or_not(self, patient, feeding):
        self.world.consent(patient, feeding)

    @rule(absorbed=people, survivor=people)
    def two_identities_are_merged(self, absorbed, survivor):
        if absorbed != survivor:
            self.world.merge(absorbed, survivor)

    @rule(absorbed=people)
    def a_merge_is_undone(self, absorbed):
        if self.world.identity(absorbed).merged_into:
            self.world.unmerge(absorbed)

    @rule(patient=people, data=st.data())
    def a_stay_is_moved(self, patient, data):
        stay = data.draw(st.sampled_from(sorted(self.stays)))
        self.world.move_stay(stay, self.world.owner_of_stay(stay), patient)

    # --- the worker, the DMP, people

    @rule(script=steps)
    def the_worker_works(self, script):
        self.world.dmp.script = script
        try:
            self.world.service.work()
        except Killed:
            self.world.die()

    @rule()
    def documents_are_only_looked_at(self):
        self.world.service.look_again()

    @rule(hours=st.integers(1, 5))
    def time_passes(self, hours):
        self.world.die(hours)

    @rule(act=st.sampled_from([confirm, abandon, retry, withdraw]), data=st.data())
    def a_person_acts(self, act, data):
        found = [one.id for one in self.world.sendings()]
        if found:
            with suppress(ActRefused):
                self.world.act(act, data.draw(st.sampled_from(found)))

    @rule()
    def all_is_quiet(self):
        """What is true whenever nothing is left to do."""
        self.world.dmp.script = []
        self.world.settle()
        assert self.world.dmp.wrongs == []
        with self.world.store.read() as view:
            for unique_id, ins in self.world.dmp.held:
                self._stands_where_it_belongs_or_a_person_knows(view, unique_id, ins)
            items = {item.key for item in view.work_items(limit=1000)}
        for one in self.world.sendings():
            assert one.state != "calling"
            if one.state == "to-confirm":
                assert f"document-to-withdraw|{one.identity}" in items

    def _stands_where_it_belongs_or_a_person_knows(self, view, unique_id, ins):
        document = next(one for one in view.documents_named(unique_id) if one.intent is not Intent.DELETE)
        found = whose(view, document, self.world.policy)
        sendings = view.sendings_of(document.id)
        assert any(one.ins == ins and one.action != "delete" for one in sendings), "nobody knows it is there"
        right = is_right(ins, found, "test")
        if right and not is_of_another_stay(view, document, found, self.world.policy):
            return
        deletions = [one for one in sendings if one.action == "delete" and one.ins == ins]
        left = [one for one in deletions if one.reason == "abandoned" and (right or one.code != "stay-moved")]
        assert left or any(one.state in {"to-confirm", "refused"} for one in deletions), (
            "it stands under an INS that was lost, or of another's stay, and no deletion is prepared"
        )

    def _what_was_refused_is_tried_again(self):
        for one in self.world.sendings(state="refused"):
            if one.reason not in {"predecessor-replaced", "other-patient"}:
                with suppress(ActRefused):  # while a newer version may have left
                    self.world.act(retry, one.id)

    def _is_somewhere_for_a_reason(self, view, unique_id):
        """Fed; or replaced, deleted or refused by somebody who said so."""
        document = next(one for one in view.documents_named(unique_id) if one.intent is not Intent.DELETE)
        last = [one for one in view.sendings_of(document.id) if one.action != "delete"][-1]
        if last.state == "deleted":
            later = view.documents_after(unique_id)
            asked = any(one.action == "delete" and not one.ins for one in view.sendings_of(document.id))
            assert later or asked or last.reason == "withdrawn" or last.author, "deleted, and nobody asked for it"
        elif last.state == "replaced":
            later = [one for after in view.documents_after(unique_id) for one in view.sendings_of(after.id)]
            assert any(one.state in {"fed", "replaced", "deleted"} for one in later), "nothing took its place"
        elif last.state == "waiting-predecessor":
            raise AssertionError(f"waits for ever: {last}")

    def teardown(self):
        """In the end everybody is qualified, each deletion confirmed: everything is where it belongs."""
        if not hasattr(self, "world"):
            return
        world = self.world
        try:
            self._all_is_put_right()
        finally:
            world.close()
            shutil.rmtree(self.folder)

    def _all_is_put_right(self):
        world = self.world
        self.all_is_quiet()
        for stay, patient in self.stays.items():
            world.move_stay(stay, world.owner_of_stay(stay), patient)
        for number, patient in self.missing:
            self._comes_at_last(number, patient)
        for name in PATIENTS:
            if not world.identity(name).merged_into:
                world.doubt(name, doubtful=False)
                world.downgrade(name)
        for name in PATIENTS:
            if not world.identity(name).merged_into:
                world.qualify(name)
                world.consent(name, "INO")
        for _ in range(6):
            world.settle()
            for one in world.sendings(state="to-confirm"):
                world.act(confirm, one.id)
            self._what_was_refused_is_tried_again()
        world.settle()
        self.all_is_quiet()
        with world.store.read() as view:
            for one in world.sendings():
                assert one.state not in {"waiting-ins", "waiting-identity", "waiting-consent", "to-confirm"}, one
                document = view.document(one.document)
                if one.state == "fed" and one.reason == "fed":
                    assert is_right(one.ins, whose(view, document, world.policy), "test")
                    assert (document.unique_id, one.ins) in world.dmp.held, "said fed, and is not there"
            for number in self.received:
                self._is_somewhere_for_a_reason(view, f"1.2.250.1.999.7.{number}")
        assert len(world.dmp.held) == len({unique_id for unique_id, _ in world.dmp.held})


TestDocuments = DocumentsMachine.TestCase
TestDocuments.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
