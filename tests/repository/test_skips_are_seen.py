"""What `tests/conftest.py` does with a test that cannot run: listed with its remedy, and a failure under CI=true."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

def test_runs():
    pass

def test_needs_more():
    pytest.skip("needs a browser: apt install chromium")

@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    assert False
"""
MODULE = "import pytest\npytest.skip('needs a server: pip install server', allow_module_level=True)\n"


@pytest.fixture
def play(tmp_path):
    shutil.copy2(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text(MODULE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def play(ci: str, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args, "."],
            cwd=tmp_path,
            env=os.environ | {"CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )

    return play


def test_a_skip_is_listed_at_the_end_with_the_way_to_get_it(play):
    done = play("", "-n", "1")
    end = done.stdout.partition("not run here, and the way to get it")[2]
    assert done.returncode == 0
    assert "needs a browser: apt install chromium: 1 skipped\n  test_some.py::test_needs_more\n" in end
    assert "needs a server: pip install server: 1 skipped\n  test_module.py\n" in end
    assert "1 passed, 2 skipped, 1 xfailed" in done.stdout.splitlines()[-1]


def test_a_skip_is_a_failure_in_continuous_integration(play):
    done = play("true", "--continue-on-collection-errors")
    assert done.returncode == 1
    assert "CI=true does not allow: needs a browser" in done.stdout
    assert "CI=true does not allow: needs a server" in done.stdout
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in done.stdout.splitlines()[-1]
