"""`insigne serve`: what it says when it cannot start."""

import socket

import pytest


@pytest.mark.parametrize("what", ["mllp", "http"])
def test_a_port_that_another_program_has_is_told_with_what_to_do(insigne, tmp_path, what):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"mllp": 0, "http": 0} | {what: port}
        settings = [word for name, number in ports.items() for word in ("--set", f"{name}.port={number}")]
        done = insigne("--data", str(tmp_path / "data"), *settings, "serve")
    assert done.status == 3
    assert str(port) in done.err
    assert f"{what}.port" in done.err
    assert "Traceback" not in done.err


def test_a_data_folder_that_is_a_file_is_named(insigne, tmp_path):
    place = tmp_path / "data"
    place.write_text("not a folder")
    done = insigne("--data", str(place), "serve")
    assert done.status == 2
    assert str(place) in done.err
    assert "cannot listen" not in done.err
