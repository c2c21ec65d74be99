"""What a long queue costs in memory: a process of its own opens the base, works for a while, and tells how it grew.

`python -m bench.insi_memory DATA JOBS SETTING…` works on at least JOBS questions of the base in the folder DATA.
"""

import subprocess
import sys
from pathlib import Path

import msgspec

from bench import content, insi_site, machine, populate, server
from insigne.app.base import open_base
from insigne.app.insi import insi_service
from insigne.config import load


class Growth(msgspec.Struct):
    """Resident memory in MB: imports made and nothing opened, after the first batch, after `worked` questions."""

    before: float
    first: float
    after: float
    worked: int
    waiting: int

    @property
    def megabytes(self) -> float:
        return self.after - self.before


def grown(folder: Path, jobs: int, worked: int) -> Growth:
    """Queue a retrieval for each identity of a base that large, and let a process work on some of them."""
    file = populate.base(jobs, folder / "data")
    with server.running(server.canned_insi(folder / "nation")) as nation:
        options = [*insi_site.settings(nation.told), f'ri.authorities=["{populate.SITE.key}"]']
        base = open_base(load(None, options, {}, file.parent))
        insi_site.queue(base, [row[0] for row in content.rows(file, "SELECT id FROM identity ORDER BY id")])
        base.close()
        command = [sys.executable, "-m", "bench.insi_memory", str(file.parent), str(worked), *options]
        done = subprocess.run(command, capture_output=True, check=False, env=machine.environment())
    if done.returncode:
        raise RuntimeError(f"the queue failed: {done.stderr.decode()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=Growth)


def main() -> None:
    data, jobs, options = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    loaded = load(None, options, {}, data)
    before = machine.resident_kb()
    base = open_base(loaded, wait=5.0)
    service = insi_service(base, automatic=True)
    worked = service.work()
    first = machine.resident_kb()
    while worked < jobs and (found := service.work()):
        worked += found
    after = machine.resident_kb()
    with base.store.read() as view:
        waiting = view.job_states().get("waiting", 0)
    service.close()
    base.close()
    growth = Growth(before / 1024, first / 1024, after / 1024, worked, waiting)
    sys.stdout.buffer.write(msgspec.json.encode(growth))


if __name__ == "__main__":
    main()
