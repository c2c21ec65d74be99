"""kill -9 of the process that decides: the front ends with it, whatever it is doing, and the port is free at once."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from insigne.hl7 import frame

PROGRAM = Path(__file__).with_name("first_process.py")
SECONDS = 30.0
#: A front that computes for ever once it reads a message: it sees nothing of what comes over its link.
BUSY = """
from insigne.transport.front import child
def reader_of(site):
    def read(raw):
        while b"|HOLD|" in raw:
            pass
        return b""
    return read
child.warm, child.reader_of = lambda _: None, reader_of
from insigne.app.front import main
main()
"""


@pytest.fixture
def first(process):
    """Start the program: the process, its port; what it says next is awaited by `told`."""
    with ExitStack() as stack:

        def start(command):
            started = subprocess.Popen([sys.executable, "-P", str(PROGRAM), *command], stdout=subprocess.PIPE)
            stack.enter_context(started)
            stack.callback(started.kill)
            return started, told(started)

        yield start


def told(started):
    """The next number that the program tells."""
    assert select.select([started.stdout], [], [], SECONDS)[0], "it says nothing"
    return int(started.stdout.readline())


def within(condition):
    """Wait for something to be so."""
    limit = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.002)


@pytest.mark.parametrize("doing", ["waits", "computes", "stopped"])
def test_the_front_ends_with_the_process_that_decides(first, process, helpers, doing):
    started, port = first((sys.executable, "-P", "-c", BUSY) if doing == "computes" else process.light)
    with ExitStack() as stack:
        wires = [stack.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS)) for _ in range(2)]
        front = told(started)
        wires[1].sendall(frame(helpers.message("A")))
        assert b"\rMSA|AA|A\r" in wires[1].recv(65536)
        wires[1].sendall(frame(helpers.message("HOLD")))
        if doing == "computes":
            before = processor_ticks(front)
            within(lambda: processor_ticks(front) > before + 5)
        if doing == "stopped":
            os.kill(front, signal.SIGSTOP)
            within(lambda: process.state(front) == "T")
        started.kill()
        started.wait(SECONDS)
        with socket.create_server(("127.0.0.1", port)):
            pass
        within(lambda: not process.exists(front))
        for wire in wires:
            assert is_closed(wire)


def processor_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_closed(wire):
    try:
        return wire.recv(65536) == b""
    except ConnectionError:
        return True
