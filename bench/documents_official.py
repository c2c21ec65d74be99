"""The ANS's own XSD and schematron over CDA we build, in parallel: where TEST_CONTENU_CDA names its folder."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from insigne.documents.cda.official import Official, OfficialError

FOLDER = "TEST_CONTENU_CDA"


class Judged(NamedTuple):
    """What was measured; `why` says why nothing was. `found`: documents with a finding."""

    processes: int = 0
    rate: float = 0.0
    found: int = 0
    why: str = ""


def judged(documents: Sequence[bytes], rounds: int) -> Judged:
    """Check the documents, so many times over; the first ones, while each process compiles the rules, do not count."""
    if FOLDER not in os.environ:
        return Judged(why=f"{FOLDER} names no folder")
    processes = len(os.sched_getaffinity(0))
    try:
        with Official(Path(os.environ[FOLDER]), processes=processes) as official:
            official.check(documents[: 2 * processes])
            start = time.perf_counter()
            findings = [found for _ in range(rounds) for found in official.check(documents)]
            seconds = time.perf_counter() - start
    except OfficialError as error:
        return Judged(why=str(error))
    return Judged(processes, len(findings) / seconds, sum(map(bool, findings)))
