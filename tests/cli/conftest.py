"""A data folder with one family in its base."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from insigne.access import Role
from insigne.access.users import User, hash_secret
from insigne.exchange.model import MessageRecord
from insigne.ins.matricule import NIR_OID
from insigne.registry import events as ev
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import ALL_WELL
from insigne.simulate.insi.simulator import SimulatorSettings
from insigne.store import open_store
from insigne.store.accounts import StoredUsers
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


SECRET = "un secret bien long"


class Desk:
    """A référentiel d'identités: people who act with `insigne … --as`, and the téléservice it calls."""

    def __init__(self, run, folder, nation) -> None:
        self._run = run
        self.folder = folder
        self.nation = nation
        self.config = folder.parent / "insigne.toml"
        self.configure()
        url = f"sqlite:///{folder / 'insigne.db'}"
        folder.mkdir(parents=True)
        upgrade(url)
        store = open_store(url, wait=5)
        salt = hash_secret(SECRET, b"0123456789abcdef")
        for name, role in (("claire", "identitovigilance"), ("adele", "accueil"), ("quentin", "qualifieur")):
            user = User(id=name, name=name, roles=frozenset({Role(role)}), secret_hash=salt, created=datetime.now(UTC))
            StoredUsers(store).add(user)
        store.close()

    def configure(self, *lines, adapter="simulation") -> None:
        """Write the configuration, with more lines at its beginning."""
        ready = self.nation.ready
        client = ready["clients"]["INSI-MANU"]
        self.config.write_text(
            "\n".join(lines)
            + f"""
[insi]
endpoint = "{ready["url"]}"
idam = "{ready["idam"]}"
[insi.tls]
ca_file = "{ready["ca"]}"
cert_file = "{client["cert"]}"
key_file = "{client["key"]}"
[insi.verification]
adapter = "{adapter}"
endpoint = "{ready["verification"]}"
poll_seconds = 0.05
"""
        )

    def run(self, *args):
        """Run a command as it stands."""
        return self._run("--config", self.config, "--data", self.folder, *args)

    def act(self, *args, status=0, user="claire"):
        """Act as a user: the document printed with --json, None when there is none, and what was said on stderr."""
        result = self.run(*args, "--as", user, "--json")
        assert result.status == status, result.err
        lines = [json.loads(line) for line in result.out.splitlines()]
        assert len(lines) <= 1
        return (lines[0] if lines else None), result.err

    def create(self, name="ADRUN", *given, sex="F", born="1975-12-31", place="63220", more=()):
        """Create an identity (by default one the nation knows); its id."""
        names = [part for one in given or ("ZOE",) for part in ("--given", one)]
        document, _ = self.act(
            "identity", "create", "--birth-name", name, *names, "--sex", sex, "--birth-date", born,
            "--birth-place", place, *more,
        )  # fmt: skip
        return document["id"]

    def lines(self, *args):
        """The JSON lines of a command that reads."""
        result = self.run(*args, "--json")
        assert result.status == 0, result.err
        return [json.loads(line) for line in result.out.splitlines()]

    def events(self, identity):
        return [line["event"] for line in self.lines("identity", "history", identity)]

    def work(self, *options):
        return [item["kind"] for item in self.lines("worklist", "list", *options)]


def status_of(patient) -> str:
    """The RNIV status and the attributes of a Patient, as in "QUAL HOMA"."""
    parts = patient["extension"][0]["extension"]
    codes = [p["valueCoding"]["code"] for p in parts if p["url"] == "identityStatus"]
    codes += [p["valueCodeableConcept"]["coding"][0]["code"] for p in parts if p["url"] == "comment"]
    return " ".join(codes)


def ins_of(patient) -> str:
    """The matricule a Patient shows as held, "" for none."""
    return next((i["value"] for i in patient["identifier"] if i["use"] == "official"), "")


@pytest.fixture(scope="session")
def nation_service(tmp_path_factory):
    """The simulated téléservice, over TLS, for the whole run."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("nation"))) as service:
        yield service


@pytest.fixture
def nation(nation_service):
    """The téléservice, well again after each test."""
    yield nation_service
    nation_service.call(lambda: nation_service.simulator.control.change(Change(mode="production", effects=ALL_WELL)))


@pytest.fixture
def desk(insigne, tmp_path, nation, monkeypatch) -> Desk:
    """A référentiel d'identités with users claire, quentin and adele, who all have the same secret."""
    monkeypatch.setenv("INSIGNE_SECRET", SECRET)
    return Desk(insigne, tmp_path / "desk", nation)
