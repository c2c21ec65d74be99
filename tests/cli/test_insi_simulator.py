"""`insigne insi simulator`: started as a vendor starts it, used through what its ready file says."""

import http.client
import json
import signal
import ssl
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from insigne.insi.wire import CallContext, SearchTraits, build_search, content_type, read_answer


@contextmanager
def started(folder, *options):
    """Run the command until the block ends; yield its ready file and its process."""
    ready = folder / "ready" / "insi.json"
    command = [sys.executable, "-m", "insigne", "--data", folder / "data", "insi", "simulator", "--ready-file", ready]
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


def search(ready, name, given, sex, date, client="INSI-AUTO"):
    address = urlsplit(ready["url"])
    tls = ssl.create_default_context(cafile=ready["ca"])
    tls.load_cert_chain(ready["clients"][client]["cert"], ready["clients"][client]["key"])
    connection = http.client.HTTPSConnection(address.hostname, address.port, context=tls, timeout=20)
    context = CallContext("m", "b", "l", "2026-01-15T08:30:00Z", idam=ready["idam"])
    body = build_search(SearchTraits(name, given, sex, date), context)
    try:
        connection.request("POST", address.path, body, {"Content-Type": content_type("search")})
        answer = connection.getresponse()
        return read_answer(answer.status, answer.read())
    finally:
        connection.close()


def test_the_ready_file_is_enough_to_call_and_sigterm_ends_with_exit_0(tmp_path):
    with started(tmp_path, "--json") as (ready, process):
        assert set(ready) >= {"pid", "url", "ca", "clients", "idam"}
        assert ready["pid"] == process.pid
        assert urlsplit(ready["url"]).path == "/lps"
        assert {"INSI-AUTO", "INSI-MANU", "AUTRE-CN"} == set(ready["clients"])
        for client, code in (("INSI-AUTO", "00"), ("INSI-MANU", "00"), ("AUTRE-CN", "desir_560")):
            assert search(ready, "ADRUN", "ZOE", "F", "1975-12-31", client).code == code
        assert search(ready, "HOUILLES", "PAUL", "M", "1993-01-27").code == "01"
        for files in ready["clients"].values():
            assert Path(files["cert"]).is_relative_to(tmp_path / "data")
            assert stat.S_IMODE(Path(files["key"]).stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(out) == ready
    assert "stopped after 4 calls" in err


def test_a_generated_hospital_a_script_and_options_set_the_service(insigne, tmp_path):
    assert insigne("generate", "--patients", 5, "--seed", 2, "--out", tmp_path / "hospital").status == 0
    truth = tmp_path / "hospital" / "truth.jsonl"
    people = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    known = next(one for one in people if one["national"])
    script = tmp_path / "day.toml"
    script.write_text('mode = "vendor"\n[fixtures]\nCORSE = "REP_CR02"\n[[step]]\ncalls = [3, 3]\nhttp = 503\n')
    options = ("--people", truth, "--script", script, "--fixture", "HOUILLES=REP_CR01", "--idam", "VENDEUR00001")
    with started(tmp_path, *options) as (ready, _):
        assert (ready["idam"], ready["mode"]) == ("VENDEUR00001", "vendor")
        traits = known["traits"]
        given = traits["given_names"][0]
        found = search(ready, traits["birth_name"], given, traits["sex"], traits["birth_date"])
        assert found.active.matricule == known["national"]["matricule"]
        assert search(ready, "HOUILLES", "PAUL", "M", "1993-01-27").code == "01"
        assert search(ready, "ADRUN", "ZOE", "F", "1975-12-31").code == "http_503"
        assert search(ready, "CORSE", "ANTHONY", "M", "1980-03-02").code == "02"
        assert search(ready, "TCHITCHI", "OLA", "F", "1936-06-21").code == "insi_102"


def test_clients_keep_their_certificates_from_one_run_to_the_next(tmp_path):
    seen = []
    for _ in range(2):
        with started(tmp_path) as (ready, _):
            seen.append(Path(ready["clients"]["INSI-AUTO"]["cert"]).read_bytes())
            assert search(ready, "ADRUN", "ZOE", "F", "1975-12-31").code == "00"
        (tmp_path / "ready" / "insi.json").unlink()
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mode", "test"), "test"),
        (("--deviation", "D1,D12"), "--deviation: 'D1,D12' is not a list of D1"),
        (("--fixture", "ECETINSI"), "is not NAME=FIXTURE"),
        (("--fixture", "ECETINSI=9"), "choose among 1.10, 2.04-2"),
        (("--script", "absent.toml"), "--script absent.toml: No such file"),
        (("--people", "absent.jsonl"), "absent.jsonl: No such file"),
        (("--port", "70000"), "65535"),
    ],
)
def test_a_wrong_option_is_named_with_exit_2(insigne, tmp_path, options, said):
    result = insigne("--data", tmp_path, "insi", "simulator", *options)
    assert result.status == 2
    assert said in result.err


def test_a_wrong_script_is_named_with_its_step(insigne, tmp_path):
    script = tmp_path / "day.toml"
    script.write_text("[[step]]\nhttp = 418\n")
    result = insigne("--data", tmp_path, "insi", "simulator", "--script", script)
    assert result.status == 2
    assert "day.toml: step 1" in result.err


def test_a_port_that_is_taken_is_exit_3(insigne, tmp_path):
    with started(tmp_path) as (ready, _):
        port = urlsplit(ready["url"]).port
        result = insigne("--data", tmp_path / "other", "insi", "simulator", "--port", port)
    assert result.status == 3
    assert f"cannot listen on 127.0.0.1:{port}" in result.err
