"""Whether a base stands: what the product's own commands say of it, and whether a rebuild gives the same rows."""

import json
import subprocess
import sys
from pathlib import Path

from bench import content, machine
from bench.populate import DATABASE


def agreed(data: Path, problems: list[str]) -> dict[str, bool]:
    """Each check and whether it holds; what is wrong is added to `problems`."""
    before = content.projections(data / DATABASE)
    results = {}
    for command in ("db verify", "audit verify", "db rebuild", "db verify"):
        done = subprocess.run(
            [sys.executable, "-m", "insigne", *command.split(), "--data", str(data), "--json"],
            capture_output=True,
            text=True,
            check=False,
            env=machine.environment(),
        )
        good = done.returncode == 0 and json.loads(done.stdout)["ok"] is True
        if not good:
            problems.append(f"insigne {command}: {done.stdout[-500:]}{done.stderr[-500:]}")
        results[f"{command}{' after it' if command in results else ''}"] = good
    results["rebuilt rows are the same"] = content.projections(data / DATABASE) == before
    return results
