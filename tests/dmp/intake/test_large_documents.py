"""A large document is taken without being held twice; in base64 it is a third larger."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from insigne.store.purge import purge

V1 = "1.2.250.1.999.7.1"
MEGABYTES = 60
#: Runs in a process of its own: what the memory of a test run was before counts for nothing.
MEASURE = """
import re, sys, threading
sys.path.insert(0, sys.argv[1])
from conftest import Pfi
from pathlib import Path
from insigne.exchange.model import Peer, Received
from insigne.hl7.mllp import MllpDecoder

def now():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

folder = Path(sys.argv[2])
site = Pfi(folder)
site.now = site.now.replace(hour=10)
ended = threading.Event()
before = peak = now()

def watch():
    global peak
    while not ended.wait(0.002):
        peak = max(peak, now())

watcher = threading.Thread(target=watch)
watcher.start()
decoder, frames = MllpDecoder(200_000_000), []
with (folder / "frame").open("rb") as wire:
    while piece := wire.read(262_144):
        frames += decoder.receive(piece)
received = [Received(frames.pop().payload, Peer("dpi", "mllp", "ab" * 32), site.time())]
[answer] = site.intake.process(received)
ended.set()
watcher.join()
print(answer.code, peak - before)
"""


def large_message(pfi, size):
    pdf = b"%PDF-1.4\n" + bytes(range(256)) * (size // 256)
    return pfi.mdm(pfi.cda(pdf=pdf), unique=V1).encode(), pdf


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read in /proc")
def test_a_large_document_takes_less_than_twice_its_size(pfi, tmp_path):
    raw, _ = large_message(pfi, MEGABYTES * 750_000)
    document = len(raw) * 3 // 4
    folder = tmp_path / "measured"
    folder.mkdir()
    (folder / "frame").write_bytes(b"\x0b" + raw + b"\x1c\r")
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, here, str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    code, grown = done.stdout.split()[-2:]
    assert code == "AA"
    assert int(grown) < 2 * document


def test_a_large_message_comes_back_as_it_was_received(pfi):
    raw, pdf = large_message(pfi, 4_500_000)
    [ack] = pfi.post(raw, fingerprint="ab")
    assert ack.code == "AA"
    [(message_id,)] = pfi.rows("SELECT id FROM message ORDER BY id DESC LIMIT 1")
    with pfi.store.read() as view:
        assert view.message(message_id).raw == raw
        assert [one.id for one in view.messages(limit=1)] == [message_id]
    assert base64.b64encode(pdf) in pfi.content(pfi.documents()[0])
    again = raw.replace(b"20260302090000||MDM", b"20260302090500||MDM", 1)
    assert pfi.post(again)[0].code == "AA"  # the same but for MSH-7: a duplicate, answered as before
    assert len(pfi.documents()) == 1


def test_a_purge_erases_the_parts_of_a_large_message(pfi):
    raw, _ = large_message(pfi, 4_500_000)
    pfi.post(raw, fingerprint="ab")
    assert pfi.rows("SELECT count(*) FROM message_part")[0][0] > 1
    purge(pfi.store, "test", messages_before="2027-01-01T00:00:00.000Z")
    assert pfi.rows("SELECT count(*) FROM message_part") == [(0,)]
    assert pfi.rows("SELECT count(*) FROM message WHERE raw IS NOT NULL") == [(0,)]
