"""What the figures depend on, without naming the machine."""

import os
import platform
import sqlite3
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final


def facts(*packages: str) -> dict[str, str | int | float]:
    """Processor, memory, system, Python, SQLite, and the versions of `packages` (the peers)."""
    known: dict[str, str | int | float] = {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": round(os.getloadavg()[0], 1),
        "stolen_percent": stolen_percent(_AT_START, _processor_times()),
    }
    return known | {package: version(package) for package in packages}


def scratch() -> Path:
    """Our folder of the temporary folder, kept from one run to the next."""
    folder = Path(tempfile.gettempdir()) / f"insigne-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def environment() -> dict[str, str]:
    """The environment of the processes measured: ours without INSIGNE_*, with compiled modules kept.

    An installation has its modules compiled; a machine may be set not to (PYTHONDONTWRITEBYTECODE), and then each start
    would compile them again.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INSIGNE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"PYTHONPYCACHEPREFIX": str(scratch() / "pycache")}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def resident_kb(pid: int | str = "self") -> int:
    """Resident memory of a process, in KB; of this one by default."""
    return _status_kb(pid, "VmRSS")


def family(pid: int | str) -> list[int | str]:
    """A process and those it started that still run."""
    started = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *map(int, started.split())]


def highest_kb(pid: int | str = "self") -> int:
    """The most it had since its start, or since a 5 was written to its `clear_refs`."""
    return _status_kb(pid, "VmHWM")


def _status_kb(pid: int | str, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def stolen_percent(before: Sequence[int], after: Sequence[int]) -> int:
    """How much of the time between two readings of /proc/stat a hypervisor gave to other machines, of 100.

    Of the time that processes here wanted: what nobody wanted was not stolen. Beyond a few, rates mean little.
    """
    spent = [end - start for start, end in zip(before, after, strict=True)]
    stolen = spent[_STOLEN] if len(spent) > _STOLEN else 0
    wanted = sum(spent[: _STOLEN + 1]) - sum(spent[_IDLE : _IDLE + 2])
    return round(100 * stolen / wanted) if wanted > 0 else 0


def _processor_times() -> list[int]:
    """Ticks since the start of the machine: user, nice, system, idle, waiting for a disk, interrupts (2), stolen…"""
    path = Path("/proc/stat")
    return [int(ticks) for ticks in path.read_text().partition("\n")[0].split()[1:]] if path.exists() else []


_IDLE, _STOLEN = 3, 7
_AT_START: Final = _processor_times()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
