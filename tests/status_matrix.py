"""The tables of statuses and of attributes (RNIV 1 §3.2), for every way in: what each act leads to from each status.

The person is one whom the simulated nation knows.
"""

from datetime import UTC, datetime
from types import SimpleNamespace

from argon2 import PasswordHasher

from insigne.access import Role
from insigne.access.users import User
from insigne.exchange.creation import next_identifier
from insigne.ins.datamatrix import write_payload
from insigne.ins.matricule import NIR_OID
from insigne.ins.status import Status
from insigne.ins.traits import StrictTraits
from insigne.registry import acts
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.source import Source
from insigne.registry.values import Authority, Ins, NationalIns, Proof, Traits

P, R, V, Q = Status.PROV, Status.RECUP, Status.VALI, Status.QUAL

MATRICULE = "275126322074974"
#: A number that the nation has not given: a verification says KO.
UNKNOWN_MATRICULE = "275126322074875"
SYMBOL = write_payload(StrictTraits("ADRUN", "", "ZOE", "19751231", "F", "63220"), MATRICULE, NIR_OID)
CARD = {
    "matricule": MATRICULE, "oid": NIR_OID, "birth_name": "ADRUN", "given_names": "ZOE", "sex": "F",
    "birth_date": "1975-12-31", "birth_place": "63220",
}  # fmt: skip

#: act → status after it, from PROV, RECUP, VALI and QUAL (T2 to T10); None: refused, and nothing changes.
MATRIX = {
    "document": (V, Q, V, Q),
    "accept": (R, R, Q, Q),
    "card": (Q, Q, Q, Q),
    "scan": (R, None, Q, None),
    "ok": (None, R, None, Q),
    "ko": (None, P, None, V),
    "edit": (P, P, P, P),
    "first name": (P, R, V, Q),
    "refuse": (P, R, V, Q),
    "HOMA": (P, R, V, Q),
    "DOUT": (P, P, P, P),
    "FICT": (P, P, P, P),
}
CASES = [(act, source, row[list(Status).index(source)]) for act, row in MATRIX.items() for source in Status]

#: attributes asked for → those there are then, None when they do not stand together (EXI ID 24).
SETS = {
    (): None,
    ("HOMA",): {"HOMA"},
    ("DOUT",): {"DOUT"},
    ("FICT",): {"FICT"},
    ("DOUT", "HOMA"): {"DOUT", "HOMA"},
    ("FICT", "HOMA"): None,
    ("DOUT", "FICT"): None,
    ("DOUT", "FICT", "HOMA"): None,
}
#: One name a set, the same in every process: pytest tells its workers tests by it.
SET_NAMES = ["+".join(asked) or "none" for asked in SETS]
#: What DOUT and FICT forbid, whatever else is asked for (EXI ID 26).
FORBIDDEN = ("document", "card", "scan", "retrieve")


def reached(sources=Status):
    """The pairs of statuses that the table joins, and those that no act does."""
    pairs = {(source, after) for _, source, after in CASES if after is not None}
    return pairs, {(one, other) for one in sources for other in sources} - pairs


def user(name, role, secret):
    """A person whose secret is quick to look at."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(secret)
    return User(id=name, name=name, roles=frozenset({Role(role)}), secret_hash=quick, created=datetime.now(UTC))


def at(base, status, attributes=(), matricule=MATRICULE):
    """An identity brought to a status by the registry itself; its id."""

    def source():
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Source(now, "user:setup", "user", "setup", local=True)

    search = acts.PriorSearch((("birth_date", "1975-12-31"),), ())
    traits = TraitsAssertion("ADRUN", "ZOE", "", "19751231", "F", "63220")
    with base.store.begin() as transaction:
        number = next_identifier(transaction, Authority("INSIGNE"))
        create = acts.CreateIdentity(number, traits, DetailsAssertion(), search)
        [created] = base.registrar.act_within(transaction, [(create, source())])
        transaction.commit()
    identity = created.subject
    if status in (V, Q):
        base.registrar.act(acts.RecordProof(identity, 0, Proof("PA", high_trust=True)), source())
    if status in (R, Q):
        found = Traits("ADRUN", "", "ZOE", "19751231", "F", "63220")
        answer = acts.NationalAnswer(Ins(matricule, NIR_OID), found, (NationalIns(matricule, NIR_OID),), "c", "INSI")
        base.registrar.act(acts.AcceptIns(identity, 0, answer, ""), source())
    if attributes:
        base.registrar.act(acts.SetAttributes(identity, 0, tuple(attributes), "setup"), source())
    return identity


def held(base, identity_id):
    """What an identity is now, as far as the tables tell."""
    with base.store.read() as view:
        one = view.identity(identity_id)
    return SimpleNamespace(
        status=one.status, ins=one.ins is not None, history=len(one.ins_history), proof=one.proof is not None,
        attributes=set(one.attributes), version=one.version,
    )  # fmt: skip


def consistent(after, status):
    """Whether what is held is what the status says: the INS with RECUP and QUAL, the document with VALI and QUAL."""
    return (after.status, after.ins, after.proof) == (status, status in (R, Q), status in (V, Q))
