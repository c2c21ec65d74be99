"""The frame of the command line: help, global options, exit status."""

import importlib.util
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from insigne import __version__
from insigne.cli import COMMANDS, load
from insigne.cli.common import CommandError, Family, parse_time, rfc3339

PRESENT = [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]
GLOBAL = {"--config", "--data", "--set", "--json"}


def nodes(command, path):
    """A command and, in a family, its members, those that are imported late too."""
    found = [(path, command)]
    for name in getattr(command, "commands", ()):
        member = command.member(name) if isinstance(command, Family) else command.commands[name]
        found += nodes(member, [*path, name])
    return found


def test_help_lists_the_commands_without_importing_them():
    script = (
        "import sys\n"
        "from insigne.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sorted(m for m in sys.modules if m.startswith('insigne') or m in ('pydantic', 'starlette', 'ssl')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *text, imported = done.stdout.splitlines()
    assert imported == "insigne insigne.cli insigne.cli.options"
    for name in PRESENT:
        assert any(line.startswith(f"  {name} ") for line in text)


@pytest.mark.parametrize(
    ("command", "spared"),
    [("insi search", "insigne.simulate"), ("insi simulator", "insigne.app"), ("identity show", "insigne.app")],
)
def test_a_member_of_a_family_does_not_import_what_only_others_need(command, spared):
    script = (
        "import sys\n"
        "from insigne.cli import main\n"
        "try: main([*sys.argv[1].split(), '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(module.startswith(sys.argv[2]) for module in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", script, command, spared], capture_output=True, check=True)


def test_a_command_that_is_not_installed_is_not_listed(insigne):
    out = insigne("--help").out
    for name in set(COMMANDS) - set(PRESENT):
        assert f"\n  {name} " not in out


@pytest.mark.parametrize("name", PRESENT)
def test_the_help_of_each_command_and_family_has_examples_and_the_global_options(insigne, name):
    for path, _ in nodes(load(name), [name]):
        status, out, _ = insigne(*path, "--help")
        assert status == 0
        assert f" {name}" in out.partition("Examples:")[2], path
        assert {option for option in GLOBAL if option in out} == GLOBAL


@pytest.mark.parametrize("name", PRESENT)
def test_no_command_takes_a_global_option_for_itself(name):
    for path, command in nodes(load(name), [name]):
        options = [option for parameter in command.params for option in parameter.opts]
        assert len(options) == len(set(options)), path


def test_global_options_count_before_and_after_the_command(insigne):
    status, out, _ = insigne(
        "--set", "mllp.port=1", "config", "--data", "elsewhere", "show", "--set", "http.port=2", "--json"
    )
    document = json.loads(out)
    values = {value["key"]: value["value"] for value in document["values"]}
    assert status == 0
    assert document["data"] == "elsewhere"
    assert (values["mllp.port"], values["http.port"]) == (1, 2)


@pytest.mark.parametrize("option", [("--data", "folder"), ("--config", "insigne.toml"), ("--set", "mllp.port=0")])
def test_the_demonstration_does_not_pretend_to_use_what_it_is_given(insigne, option):
    status, out, err = insigne("demo", "--once", *option)
    assert (status, out) == (2, "")
    assert f"demo: {option[0]} has no effect" in err


def test_config_show_tells_where_each_value_comes_from(insigne, tmp_path, monkeypatch):
    file = tmp_path / "insigne.toml"
    file.write_text("environment = 'test'\n[mllp]\nport = 0\n")
    monkeypatch.setenv("INSIGNE_HTTP__PORT", "0")
    _, out, _ = insigne("--config", file, "config", "show")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert lines["environment"].endswith(f'"test"  (file: {file})')
    assert lines["http.port"].endswith("0  (environment: INSIGNE_HTTP__PORT)")
    assert lines["http.host"].endswith("(default)")


def test_a_wrong_configuration_is_exit_2_with_the_reason_on_stderr(insigne):
    status, out, err = insigne("config", "show", "--set", "mllp.prot=1", "--json")
    assert (status, out) == (2, "")
    assert err == "insigne: --set: mllp.prot: unknown key; did you mean mllp.port?\n"


def test_a_configuration_file_that_is_not_there_is_exit_2(insigne, tmp_path):
    status, out, err = insigne("config", "show", "--config", tmp_path / "none.toml")
    assert (status, out) == (2, "")
    assert "none.toml" in err


@pytest.mark.parametrize("args", [["confg"], ["config", "--nothing"], ["config", "show", "extra"], []])
def test_wrong_use_is_exit_2_and_leaves_stdout_empty(insigne, args):
    status, out, err = insigne(*args)
    assert (status, out) == (2, "")
    assert "insigne" in err


def test_a_mistyped_command_is_told_the_nearest(insigne):
    assert "Did you mean 'config'" in insigne("confg").err


def test_the_version_is_shown(insigne):
    assert insigne("--version").out == f"insigne {__version__}\n"


def test_an_unexpected_error_is_not_mistaken_for_problems_found(insigne, monkeypatch):
    monkeypatch.setattr("insigne.cli.config_cmd.effective_values", lambda _: 1 / 0)
    status, out, err = insigne("config", "show")
    assert (status, out) == (70, "")
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 1, 8, 30, tzinfo=UTC), "2026-03-01T08:30:00Z"),
        (datetime(2026, 7, 1, 8, 30, 0, 250_999, tzinfo=timezone(timedelta(hours=2))), "2026-07-01T08:30:00.250+02:00"),
    ],
)
def test_a_time_is_written_with_its_zone_and_read_back(moment, text):
    assert rfc3339(moment) == text
    assert parse_time(text, "--at") == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T08:30:00"])
def test_a_time_without_zone_is_wrong_use(text):
    with pytest.raises(CommandError, match="--at") as failure:
        parse_time(text, "--at")
    assert failure.value.exit_code == 2


def test_a_time_without_zone_is_never_shown():
    with pytest.raises(ValueError, match="zone"):
        rfc3339(datetime(2026, 3, 1))
