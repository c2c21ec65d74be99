"""What holds for every file of the repository: sizes, escapes with a reason, locks, links."""

import ast
import configparser
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CODE = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LOCKS = ("requirements.lock", "requirements-dev.lock")

PURE = ("ins", "matching", "hl7", "registry", "pam")
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]


def short(path):
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def trees():
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_files_stay_small_unless_they_are_pure_data(trees):
    big = {
        short(path): lines
        for path, tree in trees.items()
        if functions(tree) and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert big == {}


def test_functions_stay_short_but_for_the_steps_of_a_migration(trees):
    long = {
        f"{short(path)}:{node.lineno} {node.name}": lines
        for path, tree in trees.items()
        if "migrations" not in path.parts
        for node in functions(tree)
        if (lines := node.end_lineno - node.lineno + 1) > 60
    }
    assert long == {}


def test_imports_stand_at_the_top(trees):
    hidden = [
        f"{short(path)}:{inner.lineno}"
        for path, tree in trees.items()
        for node in functions(tree)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_an_escape_from_a_check_has_its_reason_beside_it():
    escape = re.compile(r"#\s*(?:type: ignore\[[^]]*\]|noqa(?:: [A-Z0-9, ]+)?|pragma: no cover)(?P<reason>.*)")
    bare = [
        f"{short(path)}:{number}"
        for path in CODE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := escape.search(line)) and len(found["reason"].strip(" #-—:")) < 8 and path != Path(__file__)
    ]
    assert bare == []


def test_every_pure_room_is_under_the_contract_of_pure_rooms():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    listed = set(contracts["importlinter:contract:pure"]["source_modules"].split())
    present = {f"insigne.{room}" for room in PURE if (ROOT / "src/insigne" / room / "__init__.py").exists()}
    assert listed == present


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_names_no_host(name):
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=[a-z])", text)
    assert [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index-url" not in text


def test_what_runs_is_locked_the_same_for_development():
    pins = [set(re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS]
    assert pins[0] <= pins[1]


def test_the_locks_hold_every_declared_requirement():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, declared in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
    ):
        text = (ROOT / name).read_text()
        missing = [
            line
            for line in declared
            if not re.search(rf"^{re.match(r'[A-Za-z0-9._-]+', line)[0].lower()}==", text, re.M)
        ]
        assert missing == [], name


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_links_of_the_documents_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in local if not (document.parent / target).exists()] == []
