"""`insigne migrate`: assess, plan, status, whom to qualify first, the identifiers of former times."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from insigne.dmp.model import Content, Document, Intent, Sending
from insigne.registry import events as ev
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Details, Identifier, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
INVENTORY, ANSWERS = EXAMPLES / "inventory.toml", EXAMPLES / "answers.toml"
MARGOT = "01JMARGOT00000000000000000"
GAM = Authority("GAM", "1.2.250.1.999.7.1", "ISO")
AT = "2026-03-10T08:00:00.000Z"


@pytest.fixture
def migrate(insigne, hospital):
    def run(*options, status=0, data=hospital.folder):
        found = insigne("--data", data, "migrate", *options)
        assert found.status == status, found.err
        return found

    return run


def listed(found):
    return [json.loads(line) for line in found.out.splitlines()]


def letter(number, identity, content=None):
    return Document(
        id=f"D{number}", received=AT, source="cli", message="", control_id="", sending="DPI|CHEX",
        intent=Intent.INITIAL, unique_id=f"1.2.{number}", set_id=f"1.3.{number}", version=1, parent="",
        type_code="11490-0", title="", confidentiality="N", created=AT, identity=identity, patient=b"[]",
        content=content,
    )  # fmt: skip


def waiting(number, identity):
    return Sending(f"S{number}", f"D{number}", "dmp", "feed", identity, "waiting-ins", "ins-missing", AT, "")


@pytest.fixture
def people(hospital):
    """Aude waits with one document and a stay, Bruno with three, Carl with one; Denis is only expected."""
    store = open_store(hospital.url, wait=5)
    with store.begin() as transaction:
        working = WorkingSet(transaction)
        for number, (name, given, born) in enumerate(
            [("AUDE", "AUDE", "19700101"), ("BRUNO", "BRUNO", "19710101"), ("CARL", "CARL", "19720101"),
             ("DENIS", "DENIS", "19730101")]
        ):  # fmt: skip
            created = ev.IdentityCreated(
                domain=GAM.key, identifiers=(Identifier("PI", GAM, f"500{number}"),),
                traits=Traits(f"{name}SON", given, given, born, "M", "63113"), details=Details(), checked=False,
                attributes=(), reliability=("PROV",), trusted=True,
            )  # fmt: skip
            working.add(ev.Recorded("identity", name, 1, AT, "GAM|CHU", "message", "M", created))
        for name in ("AUDE", "DENIS"):
            opened = ev.EncounterOpened(name, None, None, StayHeader("I"))
            working.add(ev.Recorded("encounter", f"E{name}", 1, AT, "GAM|CHU", "message", "M", opened))
        transaction.write(working, ())
        for number, name in enumerate(("AUDE", "BRUNO", "BRUNO", "BRUNO", "CARL")):
            transaction.put_document(letter(number, name))
            transaction.put_sending(waiting(number, name))
        transaction.commit()
    store.close()
    return hospital


# --- assess, plan, status


def test_the_example_inventory_gives_its_findings_its_questions_and_its_plan(migrate, tmp_path):
    found = migrate(
        "assess", INVENTORY, "--answers", ANSWERS, "--start", "2026-09-01", "--json", data=tmp_path / "none"
    )
    document = json.loads(found.out)
    assert (document["api"], document["sharing"], document["measures"]) == ("v1", "pfi-apart", None)
    levels = {(one["code"], one["subject"]): one["level"] for one in document["findings"]}
    assert levels["pfi-version", "Cloverleaf"] == levels["version", "DxCare"] == "todo"
    assert levels["version", "Labo Exemple"] == "ask"
    assert [one["code"] for one in document["questions"]] == ["transmits-ins", "all-versions"]
    assert document["plan"]["start"] == "2026-09-01"
    assert [one["name"] for one in document["plan"]["routes"]] == ["former", "new"]
    assert "Installer Cloverleaf : recette, puis production" in [one["title_fr"] for one in document["plan"]["actions"]]
    assert "there is no base" in found.err


def test_what_the_base_says_is_measured(migrate, people, insigne, tmp_path):
    (tmp_path / "letter.txt").write_text("Compte rendu")
    pdf = tmp_path / "letter.pdf"
    made = insigne(
        "--data", people.folder, "document", "render", tmp_path / "letter.txt", pdf, "--identity", "GAM|4071"
    )
    assert made.status == 0, made.err
    store = open_store(people.url, wait=5)
    with store.begin() as transaction:
        for number, content in ((50, pdf.read_bytes()), (51, b"%PDF-1.4 damaged")):
            digest = sha256(content).hexdigest()
            transaction.put_content(digest, [content[:1000], content[1000:]] if len(content) > 1000 else [content])
            transaction.put_document(letter(number, MARGOT, Content(digest, len(content), "application/pdf")))
        transaction.commit()
    store.close()
    told(people, "PID|1||4071^^^GAM~285076311304226^^^&1.2.250.1.213.1.4.8&ISO^INS", "PID|1||5000^^^GAM")
    config = tmp_path / "insigne.toml"
    config.write_text(
        "[dmp.migration]\nactive_days = 36500\n"
        '[[destinations]]\nname = "DPI"\n[destinations.mllp]\nhost = "127.0.0.1"\nport = 1\n'
    )
    document = json.loads(migrate("assess", INVENTORY, "--json", "--config", config).out)
    measures = document["measures"]
    assert (measures["active"], measures["qualified"], measures["patients_waiting"]) == (5, 1, 3)
    assert measures["templates"] == [{"sending": "DPI|CHEX", "type_code": "11490-0", "documents": 2, "with_symbol": 1}]
    assert measures["told"] == [{"name": "DPI", "messages": 2, "with_ins": 1}]
    assert [(one["reason"], one["documents"]) for one in measures["blocked"]] == [("ins-missing", 5)]
    levels = {(one["code"], one["subject"]): one["level"] for one in document["findings"]}
    assert levels["transmits-ins", "DxCare"] == "done"
    assert levels["templates", "DPI|CHEX 11490-0"] == "todo"
    assert levels["organisation", ""] == "todo"


def told(site, *segments):
    """Messages about a patient that the destination DPI accepted."""
    base = sqlite3.connect(site.folder / "insigne.db")
    with base:
        for number, segment in enumerate(segments, 1):
            row = {
                "id": number, "destination": "DPI", "kind": "notice", "state": "delivered", "event": "A28",
                "subject": "P", "keys": "", "cause": "", "background": 0, "control_id": f"O{number}", "attempts": 1,
                "due": "", "code": "AA", "reason": "", "created": AT, "sent": AT, "ended": AT, "replaces": 0,
            }  # fmt: skip
            insert(base, "outbox", row)
            content = segment.encode()
            insert(base, "outbox_bytes", {"control_id": f"O{number}", "event": "A28", "time": AT, "raw": content})
    base.close()


def insert(base, table, row):
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    needed = {name for _, name, _, required, _, _ in base.execute(f"PRAGMA table_info({table})") if required}
    for name in needed - row.keys():
        row, names, marks = row | {name: ""}, f"{names}, {name}", f"{marks}, ?"
    base.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def test_a_plan_is_written_and_followed(migrate, tmp_path):
    options = ("--answers", ANSWERS, "--start", "2026-09-01", "--out", tmp_path / "plan")
    files = json.loads(migrate("plan", INVENTORY, *options, "--json").out)["files"]
    assert Path(files["pdf"]).read_bytes().startswith(b"%PDF-1.4")
    assert "Chaque jour du plan a au moins une route ouverte." in Path(files["md"]).read_text()
    early = json.loads(migrate("status", files["json"], "--day", "2026-09-01", "--json").out)
    assert early["ok"] is True
    late = json.loads(migrate("status", files["json"], "--day", "2027-06-01", "--json", status=1).out)
    assert "late" in {one["progress"] for one in late["actions"]}
    answered = tmp_path / "answers.toml"
    answered.write_text('[answers.certificates]\nanswer = "yes"\n')
    after = migrate("status", files["json"], "--day", "2026-09-01", "--answers", answered, "--json").out
    progress = {one["title"]: one["progress"] for one in json.loads(after)["actions"]}
    assert progress["order the organisation certificates ORG_AUTH_CLI and ORG_SIGN"] == "done"
    assert "en retard" in migrate("status", files["json"], "--day", "2027-06-01", status=1).out


@pytest.mark.parametrize(
    "options",
    [
        ("assess", "/nowhere.toml"),
        ("assess", str(ANSWERS)),
        ("assess", str(INVENTORY), "--answers", str(INVENTORY)),
        ("assess", str(INVENTORY), "--start", "demain"),
        ("assess", str(INVENTORY), "--start", "9999-12-31"),
        ("plan", str(INVENTORY), "--start", "0001-01-01"),
        ("assess", str(INVENTORY), "--set", "dmp.migration.solutions_file=/nowhere.toml"),
        ("status", str(INVENTORY)),
        ("import-legacy",),
        ("import-legacy", "/nowhere.csv"),
    ],
    ids=lambda options: " ".join(options[:1]) + str(len(options)) + options[-1][-12:],
)
def test_wrong_use_is_exit_2(migrate, options):
    migrate(*options, status=2)


def test_a_year_out_of_reach_is_said_with_the_years_that_are_not(migrate):
    found = migrate("assess", INVENTORY, "--start", "9999-12-31", status=2)
    assert "--start: '9999-12-31' is not between 1900-01-01 and 2199-12-31: check the year" in found.err


# --- whom to qualify


def test_those_with_most_waiting_documents_come_first_then_those_who_are_here(migrate, people):
    found = listed(migrate("queue", "--json"))
    assert [(one["identity"], one["documents"], one["stays"]) for one in found] == [
        ("BRUNO", 3, 0), ("AUDE", 1, 1), ("CARL", 1, 0)
    ]  # fmt: skip
    assert found[0]["local"] == "GAM|5001"
    assert "récupérer l’INS" in found[0]["act_fr"]
    assert [one["identity"] for one in listed(migrate("queue", "--limit", "2", "--json"))] == ["BRUNO", "AUDE"]


def test_those_who_are_only_expected_come_when_asked_for(migrate, people):
    found = listed(migrate("queue", "--stays", "--json"))
    assert [one["identity"] for one in found] == ["BRUNO", "AUDE", "CARL", "DENIS"]
    assert "BRUNOSON" not in migrate("queue").out


def test_an_empty_queue_says_so(migrate):
    assert "aucun patient" in migrate("queue").out


# --- former times

LEGACY = (
    "kind;value;local_authority;local_value;birth_name;given_names;birth_date;sex;obtained\n"
    "ins-c;1234567890123456789012;GAM;5000;AUDESON;AUDE;1970-01-01;M;2019-04-01\n"  # by its number
    "INS-C;2234567890123456789012;GAM;5001;X;X;1999-01-01;M;\n"  # another birth date
    "td0.0;172016311304226;;;CÀRLSON;Carl;1972-01-01;M;2021-05-05\n"  # by traits
    "ins-c;3234567890123456789012;;;Personne;Paul;1950-01-01;M;\n"  # nobody
    "ins-c;4234567890123456789012;GAM;9999;;;;;\n"  # merged into Margot
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "insc.csv"
    path.write_text(LEGACY)
    return path


def test_former_identifiers_are_matched_and_kept_once_as_history_only(migrate, people, file):
    dry = json.loads(migrate("import-legacy", file, "--dry-run", "--json").out)
    assert listed(migrate("legacy", "--json")) == []
    first = json.loads(migrate("import-legacy", file, "--json").out)
    counts = {"lines": 5, "new": 5, "known": 0, "identifier": 2, "traits": 1, "nobody": 1, "differs": 1, "several": 0}
    assert first | counts == first
    assert dry | counts == dry
    again = json.loads(migrate("import-legacy", file, "--json").out)
    assert (again["new"], again["known"], again["identifier"]) == (0, 5, 2)
    assert [one["value"] for one in listed(migrate("legacy", "--identity", "GAM|5000", "--json"))] == [
        "1234567890123456789012"
    ]
    assert [one["kind"] for one in listed(migrate("legacy", "--identity", "GAM|5002", "--json"))] == ["td0.0"]
    assert [one["value"][0] for one in listed(migrate("legacy", "--identity", "GAM|4071", "--json"))] == ["4"]
    assert sorted(one["matched"] for one in listed(migrate("legacy", "--json"))) == ["differs", "nobody"]


def test_a_former_identifier_never_becomes_an_ins(migrate, people, insigne, file):
    before = insigne("--data", people.folder, "identity", "show", "GAM|5002", "--json").out
    migrate("import-legacy", file)
    assert insigne("--data", people.folder, "identity", "show", "GAM|5002", "--json").out == before
    found = insigne("--data", people.folder, "identity", "show", "1.2.250.1.213.1.4.8|172016311304226")
    assert found.status == 1


def test_who_has_an_ins_c_is_told_in_the_queue(migrate, people, file):
    migrate("import-legacy", file)
    assert {one["identity"]: one["former"] for one in listed(migrate("queue", "--json"))} == {
        "BRUNO": [], "AUDE": ["ins-c"], "CARL": ["td0.0"]
    }  # fmt: skip


def test_wrong_lines_are_told_without_their_values_and_a_file_may_be_forgotten(migrate, people, tmp_path):
    path = tmp_path / "insc.csv"
    path.write_text(LEGACY + "ins-d;5;;;;;;;\nins-c;5234567890123456789012;;;;;01/02/1970;;\n")
    found = migrate("import-legacy", path, "--json", status=1)
    assert json.loads(found.out)["problems"] == [
        "line 7: kind: ins-c or td0.0",
        "line 8: birth_date: write it like 1979-03-28",
    ]
    migrate("import-legacy", "--forget", "insc.csv")
    assert listed(migrate("legacy", "--json")) == []
    migrate("import-legacy", "--forget", "insc.csv", status=1)


def test_a_destination_that_is_not_configured_is_told(migrate, tmp_path):
    file = tmp_path / "inventaire.toml"
    file.write_text('site = "CH"\n[[components]]\nname = "DPI"\nroles = ["ri", "dpi"]\ndestination = "DP1"\n')
    assert "DP1 is none of [[destinations]]" in migrate("assess", file).err
