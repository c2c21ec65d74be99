"""`insigne dmp simulator`: started as a vendor starts it, used through what its ready file says."""

import json
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest


@contextmanager
def started(folder, *options):
    """Run the command until the block ends; yield its ready file and its process."""
    ready = folder / "ready" / "dmp.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "insigne", "--data", folder / "data", "dmp", "simulator", "--ready-file", ready]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "no ready file within 60 s"
            time.sleep(0.01)
        yield json.loads(ready.read_text(encoding="utf-8")), process
    finally:
        process.kill()
        process.communicate()


def test_the_ready_file_is_enough_and_sigterm_ends_with_exit_0(tmp_path, call_as):
    with started(tmp_path, "--json", "--calls") as (ready, process):
        assert set(ready) >= {"pid", "url", "ca", "clients", "token", "patients"}
        assert ready["pid"] == process.pid
        assert set(ready["clients"]) == {"ORG_AUTH_CLI", "ORG_SIGN"}
        assert stat.S_IMODE((tmp_path / "ready" / "dmp.json").stat().st_mode) == 0o600
        for files in ready["clients"].values():
            assert Path(files["cert"]).is_relative_to(tmp_path / "data")
            assert stat.S_IMODE(Path(files["key"]).stat().st_mode) == 0o600
        assert call_as("ORG_AUTH_CLI", ready).post("repository", b"<a/>").status == 500
        page = f"{urlsplit(ready['patients']).path}?token={ready['token']}"
        assert json.loads(call_as("", ready).http("GET", page).body) == {"patients": []}
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    told, call = (json.loads(line) for line in out.splitlines())
    assert told == ready
    assert (call["operation"], call["code"]) == ("TD2.1", "SimuMessage")
    assert "stopped after 1 calls" in err


def test_what_it_answered_for_survives_a_kill_and_so_do_its_certificates(tmp_path, call_as, patient):
    with started(tmp_path) as (ready, process):
        first = {name: Path(files["cert"]).read_bytes() for name, files in ready["clients"].items()}
        lot = call_as("ORG_AUTH_CLI", ready).feed(patient).lot
        process.kill()
        process.wait()
    with started(tmp_path) as (ready, _):
        caller = call_as("ORG_AUTH_CLI", ready)
        assert [one["unique_id"] for one in caller.documents(patient)] == [lot.unique_id]
        assert caller.feed(patient, unique_id=lot.unique_id).codes == ["XDSDuplicateUniqueIdInRegistry"]
        assert {name: Path(files["cert"]).read_bytes() for name, files in ready["clients"].items()} == first


def test_a_generated_hospital_and_a_script_set_the_service(insigne, tmp_path, call_as):
    assert insigne("generate", "--patients", 5, "--seed", 2, "--out", tmp_path / "hospital").status == 0
    truth = tmp_path / "hospital" / "truth.jsonl"
    people = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    known = next(one for one in people if one["national"])["national"]["matricule"]
    script = tmp_path / "day.toml"
    script.write_text(f'mode = "vendor"\n[patients]\nclosed = ["{known}"]\n')

    with started(tmp_path, "--people", truth, "--script", script) as (ready, _):
        assert ready["mode"] == "vendor"
        answer = call_as("ORG_AUTH_CLI", ready).http("GET", f"/patients/{known}")
        assert json.loads(answer.body)["dmp"] == "closed"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--people", "absent.jsonl"), "absent.jsonl"),
        (("--script", "absent.toml"), "--script absent.toml"),
        (("--port", "70000"), "65535"),
    ],
)
def test_what_cannot_be_used_is_exit_2(insigne, tmp_path, options, said):
    result = insigne("--data", tmp_path, "dmp", "simulator", *options)

    assert result.status == 2
    assert said in result.err


def test_a_port_taken_is_exit_3(insigne, tmp_path):
    with started(tmp_path) as (ready, _):
        port = urlsplit(ready["url"]).port
        result = insigne("--data", tmp_path / "other", "dmp", "simulator", "--port", port)

    assert result.status == 3
    assert str(port) in result.err
