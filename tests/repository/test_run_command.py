"""`./run`, played with stand-ins for Python and uv: when it installs, what it starts, what it says when it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "cksum", "dirname", "flock", "mkdir", "rm")

# Starts, has every module, makes copies of itself, and otherwise prints what it was asked to run and where.
PYTHON = """#!/bin/sh
case "$2" in
  *sysconfig*) echo "$(dirname "$0")/.." ;;
  import*) exit 0 ;;
  venv) mkdir -p "$3/bin"; cat "$0" >"$3/bin/python"; chmod +x "$3/bin/python" ;;
  *) echo "$PWD: $*" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>"$UV_LOG"
if [ "$1" = venv ]; then
  for folder in "$@"; do :; done
  mkdir -p "$folder/bin"
  cat "$STAND_IN" >"$folder/bin/python"
  chmod +x "$folder/bin/python"
fi
exit "${UV_STATUS:-0}"
"""


class Project:
    """A copy of `run` beside two small lock files, and a PATH that has only what is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a project"
        self.bin = folder / "bin"
        self.log = folder / "uv.log"
        self.bin.mkdir()
        (self.folder / "src").mkdir(parents=True)
        shutil.copy2(ROOT / "run", self.folder / "run")
        for lock in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / lock).write_text("one==1\n")
        for tool in (*TOOLS, "chmod"):
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        (folder / "stand-in").write_text(PYTHON)
        self.environ = {"PATH": str(self.bin), "UV_LOG": str(self.log), "STAND_IN": str(folder / "stand-in")}

    def provide(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(script)
        path.chmod(0o755)

    def run(self, *args: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "run", *args],
            capture_output=True,
            text=True,
            env=self.environ | environ,
            cwd=cwd or self.folder,
            check=False,
            timeout=20,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def equipped(project):
    project.provide("uv", UV)
    project.provide("python3", PYTHON)
    return project


def test_the_first_command_installs_from_the_hashed_lock_and_the_second_does_not(equipped):
    first = equipped.run("insigne", "check", "a.hl7")
    assert first.returncode == 0
    assert "installing requirements.lock into .venv with uv" in first.stderr
    assert "--require-hashes" in equipped.calls[-1]
    installed = equipped.calls

    second = equipped.run("insigne", "check", "a.hl7")
    assert (second.returncode, second.stderr) == (0, "")
    assert equipped.calls == installed


def test_a_changed_lock_is_installed_again_in_its_environment_only(equipped):
    equipped.run("insigne")
    equipped.run("bench")
    (equipped.folder / "requirements.lock").write_text("one==2\n")
    assert "installing" not in equipped.run("bench").stderr
    assert "installing requirements.lock" in equipped.run("insigne").stderr
    assert "installing" not in equipped.run("insigne").stderr


def test_an_installation_that_failed_is_tried_again(equipped):
    failed = equipped.run("insigne", UV_STATUS="1")
    assert failed.returncode != 0
    assert equipped.run("insigne").returncode == 0


def test_an_index_out_of_reach_is_said_and_is_exit_3(equipped):
    equipped.run("insigne")
    (equipped.folder / "requirements.lock").write_text("one==2\n")
    failed = equipped.run("insigne", UV_STATUS="1")
    assert failed.returncode == 3
    assert "needs a package index" in failed.stderr


def test_the_command_line_keeps_the_folder_it_was_called_from(equipped, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = equipped.run("insigne", "check", "a file.hl7", cwd=elsewhere)
    assert done.stdout == f"{elsewhere}: -P -m insigne check a file.hl7\n"
    assert equipped.run("demo", "--once", cwd=elsewhere).stdout == f"{elsewhere}: -P -m insigne demo --once\n"


def test_tests_and_benchmarks_run_at_the_root_with_the_arguments_given(equipped, tmp_path):
    done = equipped.run("test", "tests/hl7", "-k", "a or b", cwd=tmp_path)
    assert done.stdout == f"{equipped.folder}: -m pytest -n 2 --dist loadfile tests/hl7 -k a or b\n"
    assert equipped.run("bench", "hl7", cwd=tmp_path).stdout == f"{equipped.folder}: -m bench hl7\n"


def test_the_sources_are_put_on_the_path_of_the_environment(equipped):
    equipped.run("insigne")
    assert (equipped.folder / ".venv/_insigne.pth").read_text() == f"{equipped.folder}/src\n"


def test_without_uv_the_environment_is_made_with_venv_and_pip(project):
    project.provide("python3", PYTHON)
    done = project.run("insigne")
    assert "installing requirements.lock into .venv with pip" in done.stderr
    assert "-m pip install" in done.stdout
    assert "--require-hashes" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("-P -m insigne")


def test_only_the_environment_is_written_to_never_the_interpreter_it_is_made_from(project):
    project.provide("python3", PYTHON)
    project.run("insigne")
    assert [path.parent.name for path in project.folder.parent.rglob("_insigne.pth")] == [".venv"]


def test_without_python_the_message_says_what_to_install(project):
    done = project.run("insigne")
    assert done.returncode == 2
    assert "3.11" in done.stderr
    assert "apt install python3" in done.stderr


def test_an_interpreter_too_old_or_that_does_not_start_is_passed_over(project):
    project.provide("python3", "#!/bin/sh\nexit 1\n")
    assert project.run("insigne").returncode == 2


@pytest.mark.parametrize("args", [[], ["tests"]])
def test_an_unknown_command_is_told_the_commands(project, args):
    done = project.run(*args)
    assert done.returncode == 2
    for command in ("demo", "test", "lint", "bench", "insigne"):
        assert f"  {command} " in done.stderr


def test_the_commands_are_executable():
    assert os.access(ROOT / "run", os.X_OK)
    assert os.access(ROOT / ".ci/run", os.X_OK)


@pytest.mark.parametrize(("lint", "tests", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_continuous_integration_runs_both_and_fails_when_either_fails(tmp_path, lint, tests, status):
    (tmp_path / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci/run", tmp_path / ".ci/run")
    run = tmp_path / "run"
    run.write_text(f'#!/bin/sh\necho "$1 $CI"\n[ "$1" = lint ] && exit {lint}\nexit {tests}\n')
    run.chmod(0o755)
    done = subprocess.run(
        [tmp_path / ".ci/run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == status
    assert done.stdout.splitlines()[0] == "lint true"
    assert done.stdout.splitlines()[-1] == "test true"
