"""`insigne serve` with several senders: a second process takes part, and the base is the same as without it."""

import asyncio
from pathlib import Path

import pytest
from bench.corpus import feed, lanes

from bench import content, load, machine, server
from insigne.transport.front.front import worthwhile

MESSAGES = 200
SENDERS = 6


def commands_of(pid):
    found = []
    for one in machine.family(pid)[1:]:
        with Path(f"/proc/{one}/cmdline").open("rb") as file:
            found.append(file.read().split(b"\0"))
    return found


async def sent(running, shares):
    """Send each share over a connection of its own; the codes of the answers, and the processes there were."""
    connections = [await load.connect(running.host, running.port) for _ in shares]
    await asyncio.gather(*(one.send(share) for one, share in zip(connections, shares, strict=True)))
    found = commands_of(running.pid)
    for one in connections:
        one.close()
    return [dict(one.codes) for one in connections], found


@pytest.mark.skipif(not worthwhile(), reason="one processor: a second process is never started")
def test_a_hospital_is_the_same_whether_a_second_process_takes_part_or_not(tmp_path):
    shares = lanes(feed(MESSAGES, seed=5), SENDERS)
    assert all(shares)
    results = {}
    for name, wanted in (("both", "true"), ("alone", "false")):
        data = tmp_path / name
        with server.running(server.insigne(data, f"mllp.second_process={wanted}")) as running:
            codes, found = asyncio.run(asyncio.wait_for(sent(running, shares), 60))
            family = machine.family(running.pid)
        assert codes == [{"AA": len(share)} for share in shares]
        assert not any(Path(f"/proc/{one}").exists() for one in family)
        results[name] = found, content.meaning(data / "insigne.db"), (data / "serve.log").read_text()
    (both, people, log), (alone, expected, quiet) = results["both"], results["alone"]
    assert [command[-2] for command in both] == [b"insigne.app.front"]
    assert alone == []
    assert people == expected
    assert people.total() > 20
    assert "mllp.front-ready" in log
    assert "mllp.front-lost" not in log
    assert "front" not in quiet
