"""A base, a registry of two patients, a DMP that is a dictionary, and a clock that only tests move."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from insigne.dmp.follower import DocumentFollower
from insigne.dmp.judging import target_of
from insigne.dmp.model import Content, Document, Flags, Intent, Sender, StayRef
from insigne.dmp.ports import Arrived, Declined, Failed
from insigne.dmp.reception import receive
from insigne.dmp.service import DmpService
from insigne.dmp.settings import DmpSettings
from insigne.dmp.site import Site
from insigne.dmp.states import qualified_ins
from insigne.dmp.whose import is_of_another_stay, standing
from insigne.exchange.apply import Registrar
from insigne.registry import events as ev
from insigne.registry.acts import UnmergeIdentities
from insigne.registry.commands import (
    MergePatients,
    MoveAccount,
    MoveAccounts,
    MovementAssertion,
    Patient,
    RecordMovement,
    RenumberAccount,
)
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Details, Dmp, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store
from insigne.store.purge import purge

HOSPITAL = Authority("CHU-INVENTE", "1.2.250.1.999.7", "ISO")
OID = "1.2.250.1.213.1.4.8"
NIA_OID = "1.2.250.1.213.1.4.9"
#: Invented matricules; their keys are right (97 - number % 97).
MATRICULES = {"A": "2840537261118", "B": "1790151234567", "C": "2911175056042"}
PART = 1 << 20


def matricule(thirteen):
    return f"{thirteen}{97 - int(thirteen) % 97:02}"


def ins_of(name):
    return Ins(matricule(MATRICULES[name]), OID)


def text_of(ins):
    return f"{ins.oid}|{ins.matricule}"


_UNDER_WAY = {"ready", "calling"}


class Killed(BaseException):
    """The process dies here."""


class FakeDmp:
    """What a DMP holds: by unique id and INS, the digest of each version that stands. `script`: what the next calls do.

    "ok"; "meanwhile" (done, while something else happens); "lost" (done, but the answer never comes); "down" (certainly
    not done); "refuse"; "killed" (done, then the process dies); "killed-before". What may never be sent fails the test.
    """

    def __init__(self):
        self.held = {}
        self.script = []
        self.calls = []
        self.created = []
        self.check = lambda errand: None
        self.meanwhile = lambda errand: None
        self.closed = False
        self.wrongs = []

    def carry(self, errand):
        """What a test asserts here, the service takes for a defect of the carrier: it is kept for the end."""
        try:
            return self._carried(errand)
        except AssertionError as error:
            self.wrongs.append(error)
            raise

    def _carried(self, errand):
        self.calls.append((errand.action, errand.document.unique_id, text_of(errand.ins)))
        self.check(errand)
        step = self.script.pop(0) if self.script else "ok"
        if step == "killed-before":
            raise Killed
        if step == "down":
            return Failed("unreachable", "no connection", sent=False, evidence="down")
        if step == "refuse":
            return Declined("XDSRegistryError", "refused")
        done = self._do(errand)
        if step == "meanwhile":
            self.meanwhile(errand)
        if step == "killed":
            raise Killed
        if step == "lost":
            return Failed("timeout", "no answer in time", sent=True, evidence="ailing")
        return done

    def _do(self, errand):
        unique_id, ins = errand.document.unique_id, text_of(errand.ins)
        if errand.action == "delete":
            meant = errand.target_document.unique_id if errand.target_document else errand.document.parent
            there = self.held.get((meant, ins))
            if there is None and errand.target is None:
                return Declined("900", "unknown", "predecessor-unknown")
            self.held.pop((meant, ins), None)
            return Arrived(entry=meant, nothing_there=there is None)
        with errand.content() as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        standing_elsewhere = [key for key in self.held if key[0] == unique_id and key[1] != ins]
        assert not standing_elsewhere, "the same document in two patients' DMP"
        if (unique_id, ins) in self.held:
            assert errand.repeated, "fed twice"
            return Arrived(entry=unique_id)
        if errand.action == "replace":
            parent = errand.target_document.unique_id if errand.target_document else errand.document.parent
            if (parent, ins) not in self.held and errand.target is None:
                return Declined("900", "unknown", "predecessor-unknown")
            if (parent, ins) not in self.held and errand.target.state != "refused":
                return Declined("XDSRegistryError", "nothing to replace")
            self.held.pop((parent, ins), None)
        self.held[unique_id, ins] = digest
        self.created.append((unique_id, ins))
        return Arrived(entry=unique_id)

    def close(self):
        self.closed = True


def fake_zam(kind, original, *, accepted, code, text, control_id, time, recipient=""):
    return f"MSH|^~\\&|INSIGNE\rZAM|{kind}|{original.control_id}|{'Y' if accepted else 'N'}|{code}\r".encode()


class World:
    """One site and all that happens to it."""

    def __init__(self, url, **settings):
        self.url = url
        self.store = open_store(url, wait=5.0)
        self.moment = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self.numbers = itertools.count(1)
        self.policy = Policy(environment="test", own=frozenset({HOSPITAL.key}))
        followers = [DocumentFollower(now=self.now)]
        self.followers = followers
        self.registrar = Registrar(self.store, self.policy, self.new_id, followers)
        given = {"without_consent": "feed", "answers": {"DPI|CHU": "RETOUR"}}
        settings = msgspec.convert({**given, **settings}, DmpSettings)
        self.site = Site(settings, self.policy, self.registrar, fake_zam, self.now, self.new_id)
        self.dmp = FakeDmp()
        self.dmp.check = self.check
        self.dmp.meanwhile = lambda errand: errand.identity and self.downgrade(errand.identity.id)
        self.service = self.new_service()

    def new_service(self):
        carriers = {"dmp": self.dmp, "mss-ps": self.dmp, "mss-patient": self.dmp}
        return DmpService(self.store, self.site, carriers, clock=lambda: self.moment, chance=Random(1))

    def close(self):
        self.service.close()
        self.store.close()
        assert self.dmp.wrongs == []

    def now(self):
        self.moment += timedelta(milliseconds=1)
        return self.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def new_id(self):
        return f"{next(self.numbers):020}000000"

    # --- what may never happen

    def check(self, errand):
        """Nothing leaves but under the INS its patient holds, qualified, now; deletions go where things were sent."""
        with self.store.read() as view:
            identity = standing(view, errand.identity.id) if errand.identity is not None else None
            if errand.action == "delete" and errand.sending.ins:
                assert text_of(errand.ins) == errand.sending.ins
                return
            assert qualified_ins(identity, "test") == errand.ins, "sent without a qualified INS"
            assert "DOUT" not in identity.attributes
            if errand.action != "delete" and self.site.settings.stay_of_another == "hold":
                assert not is_of_another_stay(view, errand.document, identity, self.policy), "of another's stay"

    # --- people

    def creation(self, name, **details):
        """The event of a new identity, provisional."""
        return ev.IdentityCreated(
            domain=HOSPITAL.key,
            identifiers=(pi(name),),
            traits=Traits(f"NOM{name}", "ISEULT", "ISEULT MARIE", "19840507", "F", "37261"),
            details=Details(dmp=Dmp(**details)),
            checked=True,
            attributes=(),
            reliability=(),
            trusted=True,
        )

    def admit(self, name, **details):
        """A new identity; its id is its name."""
        self.happen((name, self.creation(name, **details)))

    def happen(self, *events):
        """Events of identities, in one transaction, followed as any."""
        with self.store.begin(5.0) as transaction:
            changes = WorkingSet(transaction)
            for name, event in events:
                state = changes.identity(name)
                version = 1 if state is None else state.version + 1
                changes.add(ev.Recorded("identity", name, version, self.now(), "gam", "message", "M", event))
            for follower in self.followers:
                follower.follow(changes, transaction)
            transaction.write(changes, ())
            transaction.commit()

    def identity(self, name):
        with self.store.read() as view:
            return view.identity(name)

    def qualify(self, name, ins=None):
        """The identity holds this INS, uncontested."""
        ins = ins or ins_of(name)
        held = self.identity(name).ins
        before = held.ins if held is not None and held.ins != ins else None
        self.happen((name, ev.InsRecorded(ins, before=before, reason="retrieved")))

    def downgrade(self, name, reason="strict trait edited"):
        held = self.identity(name).ins
        if held is not None:
            self.happen((name, ev.InsWithdrawn(held.ins, reason)))

    def contest(self, name, *, contested=True):
        held = self.identity(name).ins
        if held is not None:
            self.happen((name, ev.InsContested(held.ins, contested)))

    def doubt(self, name, *, doubtful=True):
        state = self.identity(name)
        before = (state.checked, state.attributes, state.reliability)
        self.happen((name, ev.StatusChanged(before, (state.checked, ("DOUT",) if doubtful else (), ()))))

    def consent(self, name, feeding):
        before = self.identity(name).details
        after = msgspec.structs.replace(before, dmp=Dmp(feeding=feeding))
        self.happen((name, ev.DetailsChanged(before, after)))

    def complete_birth_date(self, name):
        """The birth date turns out to have been completed (ZFD-4)."""
        before = self.identity(name).details
        collection = msgspec.structs.replace(before.collection, birth_date_corrected="Y")
        self.happen((name, ev.DetailsChanged(before, msgspec.structs.replace(before, collection=collection))))

    def merge(self, absorbed, survivor):
        command = MergePatients(Patient(identifiers=(pi(survivor),)), (pi(absorbed),))
        self.registrar.apply(command, Source(self.now(), "gam", "message", "M"))

    def unmerge(self, absorbed):
        self.registrar.act(UnmergeIdentities(absorbed, "by mistake"), Source(self.now(), "claire", "user", "claire"))

    # --- stays

    def open_stay(self, name, patient=""):
        """A stay of the account DOS-NAME, of that patient or of another one."""
        movement = MovementAssertion((f"MVT-{name}",), "A01", "INSERT", "20260301080000", patient_class="I")
        patient = Patient(identifiers=(pi(patient or name),))
        command = RecordMovement(patient, StayHeader(), account=account(name), movement=movement)
        self.registrar.apply(command, Source(self.now(), "gam", "message", "M"))

    def move_stay(self, name, prior, patient):
        """A44: the account DOS-NAME is given by a patient to another one."""
        move = MoveAccount(Patient(identifiers=(pi(patient),)), (pi(prior),), account(name))
        self.registrar.apply(MoveAccounts((move,)), Source(self.now(), "gam", "message", "M"))

    def renumber_stay(self, patient, number, prior=""):
        """A49: the account DOS-PRIOR (that of the patient's name) is DOS-NUMBER from now on."""
        command = RenumberAccount(Patient(identifiers=(pi(patient),)), account(number), account(prior or patient))
        self.registrar.apply(command, Source(self.now(), "gam", "message", "M"))

    def owner_of_stay(self, name):
        """Whose the stay of that account is now."""
        with self.store.read() as view:
            [stay] = view.encounters(("AN", HOSPITAL.key, f"DOS-{name}"))
            return standing(view, view.encounter(stay).identity).id

    # --- documents

    def document(self, number, patient="A", content=b"", **fields):
        body = content or f"document {number}".encode()
        row = {
            "id": f"D{self.new_id()}",
            "received": self.now(),
            "source": "mllp:DPI",
            "message": f"M{number}",
            "control_id": f"C{number}",
            "sending": "DPI|CHU",
            "intent": Intent.INITIAL,
            "unique_id": f"1.2.250.1.999.7.{number}",
            "set_id": f"1.2.250.1.999.7.{number}",
            "version": 1,
            "parent": "",
            "type_code": "11490-0",
            "title": "Lettre de liaison",
            "confidentiality": "N",
            "created": "2026-03-01T07:00:00Z",
            "identity": patient,
            "patient": msgspec.json.encode((pi(patient),)),
            "content": Content(hashlib.sha256(body).hexdigest(), len(body), "application/pdf"),
            "flags": Flags(ack_reception=True),
            "sender": Sender("801234567890", "MARTIN", "Paul", "1750712184", "CHU"),
        }
        return Document(**{**row, **fields}), body

    def replacement(self, number, parent, patient="A", **fields):
        return self.document(number, patient, intent=Intent.REPLACE, parent=f"1.2.250.1.999.7.{parent}", **fields)

    def deletion(self, number, parent, patient="A", **fields):
        document, _ = self.document(number, patient, intent=Intent.DELETE, parent=f"1.2.250.1.999.7.{parent}", **fields)
        return msgspec.structs.replace(document, content=None, unique_id=document.parent), b""

    def receive(self, document, body):
        parts = [body[start : start + PART] for start in range(0, len(body), PART)]
        with self.store.begin(5.0) as transaction:
            identity = standing(transaction, document.identity)
            sendings = receive(transaction, document, parts, identity, self.site)
            transaction.commit()
        return sendings

    def take(self, number, patient="A", **fields):
        """Receive a new document; its sendings."""
        return self.receive(*self.document(number, patient, **fields))

    # --- time

    def drain(self):
        """Work until there is nothing to do now."""
        for _ in range(10_000):
            if not self.service.work():
                return
        raise AssertionError("the queue never ends")

    def settle(self):
        """Work until there is nothing to do ever, unless something happens."""
        for _ in range(50):
            self.drain()
            if not any(one.state in _UNDER_WAY for one in self.sendings()):
                return
            self.moment += timedelta(hours=3)
            self.service.close()
            self.service = self.new_service()
        raise AssertionError(f"the queue never ends: {[one for one in self.sendings() if one.state in _UNDER_WAY]}")

    def die(self, hours=1):
        """The process dies; another one starts once the lease ran out."""
        self.service.close()
        self.moment += timedelta(hours=hours)
        self.service = self.new_service()

    def purge(self):
        """Erase all that is over."""
        purge(self.store, "claire", documents_before=self.now(), now=self.now)

    # --- looking

    def sendings(self, **wanted):
        with self.store.read() as view:
            found = view.sendings(limit=10_000)[::-1]
        return [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]

    def states(self, **wanted):
        return [(one.action, one.state, one.reason) for one in self.sendings(**wanted)]

    def only(self, **wanted):
        [one] = self.sendings(**wanted)
        return one

    def open_items(self):
        with self.store.read() as view:
            return sorted((item.kind, item.cause) for item in view.work_items())

    def answers(self):
        with self.store.read() as view:
            return [view.outgoing_bytes(row.control_id).raw for row in reversed(view.outbox())]

    def act(self, act, sending_id, author="claire"):
        with self.store.begin(5.0) as transaction:
            done = act(transaction, self.site, sending_id, author)
            transaction.commit()
        return done

    def target(self, sending):
        with self.store.read() as view:
            return target_of(view, view.document(sending.document), sending)


def account(name):
    return Identifier("AN", HOSPITAL, f"DOS-{name}")


def stay_of(name):
    """How a document names the stay of that account."""
    return StayRef(account=f"{HOSPITAL.key}|DOS-{name}")


def pi(name):
    return Identifier("PI", HOSPITAL, f"IPP-{name}")
