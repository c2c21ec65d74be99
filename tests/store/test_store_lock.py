"""The lock of the data folder."""

import os
import signal
import subprocess
import sys

import pytest

from insigne.store.lock import FolderLock, LockHeld, holder

HOLD = """
import sys
from pathlib import Path
from insigne.store.lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_a_folder_held_elsewhere_is_refused_with_the_process_that_holds_it(tmp_path, other_process):
    with pytest.raises(LockHeld, match=f"process {other_process.pid} is using") as refused, FolderLock(tmp_path):
        pass
    assert refused.value.pid == holder(tmp_path) == other_process.pid


def test_a_process_that_dies_frees_the_folder(tmp_path, other_process):
    os.kill(other_process.pid, signal.SIGKILL)
    other_process.wait()
    assert holder(tmp_path) is None


def test_a_folder_may_be_held_again_after_it_was_freed(tmp_path):
    folder = tmp_path / "new"
    with FolderLock(folder):
        assert holder(folder) == os.getpid()
    with FolderLock(folder):
        pass
    assert holder(folder) is None
