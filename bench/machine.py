"""What the figures depend on, without naming the machine."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


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
    }
    return known | {package: version(package) for package in packages}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def resident_kb(pid: int | str = "self") -> int:
    """Resident memory of a process, in KB; of this one by default."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
