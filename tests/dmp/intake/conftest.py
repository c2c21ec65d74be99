"""A hospital whose PFI takes documents: an intake over a real base, and messages of the forms that the ANS publishes.

Each form has the segments, the order, the repetitions and the pipes of a published one; people, numbers and documents
are made up here.
"""

import base64
import io
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from insigne.dmp.intake.handler import DocumentHandler
from insigne.dmp.intake.settings import Intake as IntakeRules
from insigne.dmp.model import Intent
from insigne.dmp.settings import DmpSettings
from insigne.dmp.site import Site
from insigne.dmp.zam import zam
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.check import Checks
from insigne.documents.cda.description import read_description
from insigne.exchange.adt import AdtHandler
from insigne.exchange.apply import Registrar
from insigne.exchange.ids import TimeOrderedIds
from insigne.exchange.intake import Intake
from insigne.exchange.model import Peer, Received
from insigne.exchange.settings import ExchangeSettings
from insigne.hl7 import parse_ack
from insigne.ins.cog import bundled_cog
from insigne.registry.settings import RegistrySettings, policy
from insigne.registry.state import Identity
from insigne.store import open_store
from insigne.store.migrate import upgrade

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SITE = "1.2.250.1.999.1"
OURS = f"HOSP&{SITE}&ISO"
TEST_OID = "1.2.250.1.213.1.4.10"
FIRST, SECOND = "2850214051234", "1720775112098"
FLAGS = (
    ("MASQUE_PS", "Masqué aux professionnels de Santé"),
    ("INVISIBLE_PATIENT", "Document Non Visible par le patient"),
    ("INVISIBLE_REP_LEGAUX", "Non visible par les représentants Légaux du patient"),
    ("CONNEXION_SECRETE", "Connexion Secrete"),
    ("MODIF_CONF_CODE", "Modification Confidentiality Code"),
    ("DESTDMP", "Destinataire DMP"),
    ("DESTMSSANTEPS", "Destinataire (Professionnel de Santé, organisation ou BAL applicative)"),
    ("DESTMSSANTEPAT", "Destinataire Patient"),
    ("ACK_RECEPTION", "Accusé de réception"),
    ("ACK_LECTURE_MSS", "Accusé de lecture"),
)
MARKS = {Intent.INITIAL: ("T02", "NW", "F"), Intent.REPLACE: ("T10", "RO", "C"), Intent.DELETE: ("T04", "CA", "D")}
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 8


def matricule(first13):
    """The 15 characters: a NIR without Corsica and its key, 97 minus the number modulo 97."""
    return f"{first13}{97 - int(first13) % 97:02d}"


PEOPLE = {
    "4071": {
        "name": "VERDIER^CLAIRE^CLAIRE ANNE^^^^L",
        "birth": "19850214",
        "sex": "F",
        "place": "14118",
        "ins": matricule(FIRST),
    },
    "4072": {
        "name": "MASSON^HUGO^HUGO LOUIS^^^^L",
        "birth": "19720706",
        "sex": "M",
        "place": "75056",
        "ins": matricule(SECOND),
    },
}


def cx_ins(number):
    return f"{number}^^^ASIP-SANTE-INS-NIR&{TEST_OID}&ISO^INS^^20201207"


def pid(*, ipp="4071", ins=True, local=False, status="VALI", person="4071"):
    """PID as in the published forms, which carry the INS and no local number."""
    who = PEOPLE[person]
    ids = [cx_ins(who["ins"])] if ins else []
    if local or not ids:
        ids.append(f"{ipp}^^^{OURS}^PI")
    return (
        f"PID|||{'~'.join(ids)}||{who['name']}||{who['birth']}|{who['sex']}|||2 rue des Lilas^^CAEN^^14000^FRA^H"
        f"~^^^^^^BDL^^{who['place']}|||||||90001^^^{OURS}^AN^^20260225|||||||||||||N|{status}"
    )


PV1 = f"PV1|1|I|UFNEPH||||||||||||||||80002^^^{OURS}^VN^^20260225"
PROFESSIONAL = "801234500017^LEROUX^Anne^^^^^^ASIP-SANTE- PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
SB = (
    f"PRT||UC||SB^^participation|{PROFESSIONAL}|||CH Exemple^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^140000019"
)
OTHER_SB = SB.replace("140000019", "750000001")
MAIL = "anne.leroux@exemple.mssante.fr"
RCT = f"PRT||UC||RCT^^participation|{PROFESSIONAL}||||||||||^^X.400^{MAIL}"
RCT_NET = f"PRT||UC||RCT^^participation|{PROFESSIONAL}||||||||||^NET^X.400^{MAIL}"
REPLY = f"PRT||UC||REPLY^^participation|||||||||||^^X.400^{MAIL}"


def rct_patient(number=PEOPLE["4071"]["ins"]):
    return (
        f"PRT||UC||RCT^^participation|{number}^VERDIER^CLAIRE^^^^^^{TEST_OID}^L^^^INS"
        f"||||||||||^^X.400^{number}@patient.mssante.fr"
    )


def block(kind, first, yes, *, table="expandedYes-NoIndicator", names=FLAGS, notes=()):
    """The MetaDMPMSS block: one OBX a flag, Y for those of `yes`."""
    lines = []
    for rank, (name, label) in enumerate(names, first):
        value = "Y" if name in yes else "N"
        lines.append(f"OBX|{rank}|{kind}|{name}^{label}^MetaDMPMSS||{value}^^{table}||||||F|")
        lines += [f"NTE|1|||{note}|" for place, note in notes if place == name]
    return lines


def letter(rank, name, text):
    encoded = base64.b64encode(text.encode()).decode()
    return f"OBX|{rank}|ED|{name}^Corps du mail^MetaDMPMSS||^TEXT^^Base64^{encoded}||||||F|"


def b64(document):
    return base64.b64encode(document).decode()


class Pfi:
    """One site: its store, its intake, what it received."""

    def __init__(self, folder, *, environment="test", settings=None, type_codes=(), people=("4071", "4072")):
        self.path = folder / "insigne.db"
        url = f"sqlite:///{self.path}"
        upgrade(url)
        self.now = START
        self.store = open_store(url)
        self.environment = environment
        self.ids = TimeOrderedIds(lambda: int(self.now.timestamp() * 1000), b"test")
        rules = policy(environment, (), RegistrySettings())
        registrar = Registrar(self.store, rules, self.ids)
        self.site = Site(
            settings=settings or DmpSettings(),
            policy=rules,
            registrar=registrar,
            zam=zam,
            now=self.time,
            new_id=self.ids,
        )
        self.rules = IntakeRules(self.site, Checks(environment, frozenset(type_codes)))
        handler = DocumentHandler(self.rules)
        adt = AdtHandler(rules, (), self.ids)
        self.intake = Intake(
            self.store,
            {"ADT": adt, "ORU": handler, "MDM": handler},
            (),
            ExchangeSettings(),
            clock=lambda: self.now,
            new_id=self.ids,
        )
        self.sent = 0
        for number in people:
            self.admit(number)

    def time(self):
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- sending

    def post(self, *raws, fingerprint=""):
        """Send messages in one batch; the acknowledgements, as their sender reads them."""
        return [parse_ack(answer.payload) for answer in self.answers(*raws, fingerprint=fingerprint)]

    def answers(self, *raws, fingerprint=""):
        """Send messages in one batch."""
        self.now += timedelta(seconds=1)
        peer = Peer("dpi", "mllp", fingerprint)
        received = [Received(raw if isinstance(raw, bytes) else raw.encode(), peer, self.time()) for raw in raws]
        return self.intake.process(received)

    def header(self, event, version, sender=("DPI", "CHEX"), profile="2.1^CISIS_CDA_HL7_V2"):
        self.sent += 1
        return (
            f"MSH|^~\\&|{sender[0]}|{sender[1]}|PFI|CHEX|20260302090000||{event}|D{self.sent}|P|{version}"
            f"|||||FRA|UNICODE UTF-8|||{profile}"
        )

    def admit(self, number, *, status="VALI", ins=True, person=None):
        """A28: the patient becomes known; qualified with an INS said to be validated."""
        who = PEOPLE[person or number]
        ids = [f"{number}^^^{OURS}^PI", *([cx_ins(who["ins"])] if ins else [])]
        self.sent += 1
        header = f"MSH|^~\\&|GAM|CHEX|INSIGNE|CHEX|20260301080000||ADT^A28^ADT_A05|A{self.sent}|P|2.5^FRA^2.11"
        traits = f"{who['name']}||{who['birth']}|{who['sex']}|||^^^^^^BDL^^{who['place']}"
        lines = [
            f"{header}|||||FRA|UNICODE UTF-8",
            "EVN||20260301080000",
            f"PID|||{'~'.join(ids)}||{traits}{'|' * 21}{status}",
            "PV1||N",
        ]
        [ack] = self.post("".join(f"{line}\r" for line in lines))
        assert ack.code == "AA", ack.errors
        return self.identity(number)

    def oru(self, *documents, intent=Intent.INITIAL, yes=("DESTDMP",), prt=(SB,), patient=None, **more):
        """ORU^R01 in HL7 2.5; one or two documents."""
        _, order, result = MARKS[intent]
        order, result = more.get("order", order), more.get("result", result)
        code = more.get("code", "11502-2^CR d'examens biologiques^LN")
        lines = [
            self.header("ORU^R01^ORU_R01", "2.5"),
            patient or pid(),
            PV1,
            f"ORC|{order}|98765431^Nephro|1001-E1^labo|777^CHEX|||||202603020710|R854^NURSE^JANE^^^^^^^D^^^EI|",
            f"OBR|1|98765431^Nephro|1001-E1^labo|{code}||||||^BLEDER^Rose^^^^^^^D||||||^BLUE^Eva^^^DR^^^^D|||||||||F",
        ]
        for rank, one in enumerate(documents, 1):
            lines.append(f"OBX|{rank}|ED|{code}||^TEXT^XML^Base64^{b64(one)}||||||{result}|")
            lines += prt if rank == 1 else ()
        lines += more.get("flags") or block("CE", len(documents) + 1, yes, notes=more.get("notes", ()))
        lines += more.get("tail", ())
        return "".join(f"{line}\r" for line in lines)

    def mdm(self, document, *, intent=Intent.INITIAL, yes=("DESTDMP",), prt=(SB,), patient=None, **more):
        """MDM^T02, T10 or T04 in HL7 2.6; one document."""
        trigger, order, result = MARKS[intent]
        trigger, order = more.get("trigger", trigger), more.get("order", order)
        code = more.get("code", "18748-4^CR d'imagerie médicale^LN")
        unique, parent = more.get("unique", ""), more.get("parent", "")
        lines = [
            self.header(f"MDM^{trigger}^MDM_T02", "2.6"),
            "EVN||20260302090000|||LEROUX^Anne^^^^^^^CHEX&1.2.250.1.999.8&ISO^U^^^RI|20260302090000",
            patient or pid(),
            PV1,
            f"ORC|{order}|",
            f"OBR|1|||{code}|",
            f"TXA|1|{code.partition('^')[0]}|TEXT|202603020932||||||||{unique}|{parent}||||AU|||||801234500017",
            f"OBX|1|ED|{code}||^text^XML^Base64^{b64(document)}||||||{more.get('result', result)}|",
            *prt,
            *(more.get("flags") or block("CWE", 2, yes, notes=more.get("notes", ()))),
            *more.get("tail", ()),
        ]
        return "".join(f"{line}\r" for line in lines)

    # --- documents

    def identity(self, number):
        rows = self.rows("SELECT state FROM identity ORDER BY id")
        states = [msgspec.json.decode(row[0], type=Identity) for row in rows]
        return next(one for one in states if any(held.identifier.value == number for held in one.identifiers))

    def cda(self, unique="1.2.250.1.999.7.1", *, code="18748-4", number="4071", pdf=PDF, replaces="", version=1):
        """A CDA of a patient, as `documents` builds it."""
        told = {
            "id": unique,
            "set_id": "1.2.250.1.999.7.0",
            "version": version,
            "replaces": replaces,
            "code": code,
            "title": "CR d'imagerie",
            "time": "2026-03-02T10:15:00+01:00",
            "author": {
                "id": "801234500017",
                "family": "LEROUX",
                "given": "Anne",
                "organization": {"id": "1140000019", "name": "CH Exemple"},
            },
            "event": {"start": "2026-03-02T08:00:00+01:00"},
        }
        described = read_description("d.json", json.dumps(told).encode())
        out = io.BytesIO()
        write_cda(io.BytesIO(pdf), out, self.identity(number), described, "test", bundled_cog())
        return out.getvalue()

    # --- looking

    def rows(self, sql, *parameters):
        with sqlite3.connect(self.path) as connection:
            found = connection.execute(sql, parameters).fetchall()
        connection.close()
        return found

    def documents(self):
        ids = [row[0] for row in self.rows("SELECT id FROM document ORDER BY id")]
        with self.store.read() as view:
            return [view.document(one) for one in ids]

    def channels(self, document):
        with self.store.read() as view:
            return sorted((one.channel, one.action, one.recipient) for one in view.sendings_of(document.id))

    def content(self, document):
        with self.store.read() as view:
            parts, number = [], 0
            while part := view.content_part(document.content.digest, number):
                parts.append(part)
                number += 1
        return b"".join(parts)

    def everything(self):
        """What a message may change, the message log excepted."""
        tables = ("identity", "work_item", "journal", "document", "document_content", "sending", "document_review")
        names = {row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return [row for table in tables if table in names for row in self.rows(f"SELECT * FROM {table}")]


@pytest.fixture
def open_pfi(tmp_path):
    opened = []

    def opening(**settings):
        folder = tmp_path / f"pfi{len(opened)}"
        folder.mkdir()
        opened.append(Pfi(folder, **settings))
        return opened[-1]

    yield opening
    for one in opened:
        one.store.close()


@pytest.fixture
def pfi(open_pfi):
    """A PFI in a test environment with the default settings and two qualified patients, 4071 and 4072."""
    return open_pfi()


@pytest.fixture(scope="session")
def forms():
    """What the messages are made of."""

    class Forms:
        FLAGS = FLAGS
        MAIL = MAIL
        OTHER_SB = OTHER_SB
        OURS = OURS
        PEOPLE = PEOPLE
        RCT = RCT
        RCT_NET = RCT_NET
        REPLY = REPLY
        SB = SB
        SITE = SITE
        TEST_OID = TEST_OID
        block = staticmethod(block)
        letter = staticmethod(letter)
        pid = staticmethod(pid)
        rct_patient = staticmethod(rct_patient)

    return Forms
