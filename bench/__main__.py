"""The command: `python -m bench [NAME…] [--json] [--quick]`."""

import argparse
import importlib
import signal
import sys

import msgspec
from rich.console import Console

from bench.report import Report, document, save, show

NAMES = {
    "parse": "reading and acknowledging messages, against the parsers of PyPI",
    "intake": "messages a second over MLLP, durable before the acknowledgement",
    "base": "the same on a base of a million identities; reading, commands, start, memory",
    "insi": "searches of INSi through the queue; a call against zeep's; the memory of a long queue",
    "diffusion": "telling receivers: how soon, how many, after a backlog, beside an initial load; against a peer",
    "documents": "letters stamped and read back, CDA built and checked; a million held, released, signed and sent",
    "faults": "kill -9 under load, again and again: nothing lost, nothing twice",
}


def main() -> int:
    """Run what is named, show or print it, keep it; the status is 1 when something was wrong (slow is not wrong)."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers under test are stopped, folders removed
    reports: list[Report] = []
    console = Console(width=None if sys.stdout.isatty() else 130)
    for name in NAMES if "all" in chosen.names else chosen.names:
        report: Report = importlib.import_module(f"bench.{name}").run(quick=chosen.quick)
        reports.append(report)
        path = save(report)
        if not chosen.json:
            show(report, console)
            console.print(f"[dim]kept in bench/results/{path.name}[/]")
    if chosen.json:
        documents = [document(report) for report in reports]
        print(msgspec.json.encode(documents[0] if len(documents) == 1 else documents).decode())
    return 0 if all(report.ok for report in reports) else 1


def _arguments() -> argparse.Namespace:
    names = "\n".join(f"  {name:9} {what}" for name, what in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description=f"Benchmarks; peers are measured in the same run.\n\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, "all"], default="all")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller bases: an idea, not a result")
    chosen = parser.parse_args()
    chosen.names = [chosen.names] if isinstance(chosen.names, str) else chosen.names
    return chosen


if __name__ == "__main__":
    sys.exit(main())
