"""A data folder with one family in its base."""

from types import SimpleNamespace

import pytest

from insigne.exchange.model import MessageRecord
from insigne.ins.matricule import NIR_OID
from insigne.registry import events as ev
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store
from insigne.store.migrate import upgrade

GAM = Authority("GAM", "1.2.250.1.999.7.1", "ISO")
INS = Ins("285076311304226", NIR_OID)
MARGOT = "01JMARGOT00000000000000000"
DOUBLE = "01JDOUBLE00000000000000000"
A28 = (
    "MSH|^~\\&|GAM|CHU|INSIGNE|CHU|20260301080000||ADT^A28^ADT_A05|C1|P|2.5^FRA^2.11||||||8859/1\r"
    "PID|1||4071^^^GAM||ÉTÉ\r"
)


class Site:
    """The data folder, and what writes to its base as the server would."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'insigne.db'}"
        folder.mkdir(parents=True)
        upgrade(self.url)

    def happened(self, identity, version, time, event) -> None:
        self.write(SimpleNamespace(records=[(identity, version, time, event)]))

    def write(self, *batches, messages=()) -> None:
        store = open_store(self.url, wait=5)
        with store.begin() as transaction:
            working = WorkingSet(transaction)
            for batch in batches:
                for identity, version, time, event in batch.records:
                    working.add(ev.Recorded("identity", identity, version, time, "GAM|CHU", "message", "01JM1", event))
            transaction.write(working, messages)
            transaction.commit()
        store.close()


def created(ipp, traits=("LESTREZ", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113"), *, checked=True):
    return ev.IdentityCreated(
        domain=GAM.key,
        identifiers=(Identifier("PI", GAM, ipp),),
        traits=Traits(*traits),
        details=Details(),
        checked=checked,
        attributes=(),
        reliability=("VALI",) if checked else ("PROV",),
        trusted=True,
    )


@pytest.fixture
def site(tmp_path) -> Site:
    """An empty base."""
    return Site(tmp_path / "data")


@pytest.fixture
def hospital(site) -> Site:
    """A qualified identity, 4071, into which 9999 was merged, and two messages."""
    at = "2026-03-0{}T08:00:00.000Z".format
    site.happened(MARGOT, 1, at(1), created("4071"))
    site.happened(MARGOT, 2, at(2), ev.InsRecorded(ins=INS))
    site.happened(DOUBLE, 1, at(3), created("9999", checked=False))
    store = open_store(site.url)
    with store.read() as view:
        double = view.identity(DOUBLE)
    store.close()
    site.happened(DOUBLE, 2, at(4), ev.IdentityMerged(into=MARGOT, snapshot=double))
    site.happened(MARGOT, 3, at(4), ev.IdentityAbsorbed(DOUBLE))
    site.write(
        messages=[
            message("01JM1", at(1), "AA", "accepted", A28.encode("latin-1")),
            message("01JM2", at(2), "AE", "rejected", b"MSH|^~\\&|\xff\xfe", control="C2"),
        ]
    )
    return site


def message(identifier, time, code, disposition, raw, control="C1") -> MessageRecord:
    return MessageRecord(
        id=identifier,
        time=time,
        direction="in",
        peer="mllp:GAM",
        sender="GAM|CHU",
        control_id=control,
        event="ADT^A28",
        version="2.5^FRA^2.11",
        charset="8859/1" if code == "AA" else "UNICODE UTF-8",
        disposition=disposition,
        code=code,
        digest=bytes(32),
        raw=raw,
        ack=b"MSH|^~\\&|\rMSA|AA|C1\r",
        findings=b'[{"rule":"R1","severity":"error","location":"PID-5","message":"m","message_fr":"f","reference":""}]'
        if code == "AE"
        else b"",
        subject=MARGOT,
    )
