"""Opening the tables that sites write (`dmp.columns`) for a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from insigne.cli.common import Exit, fail
from insigne.dmp.columns import ColumnsError


@contextmanager
def table_lines(file: Path, option: str = "") -> Iterator[TextIO]:
    """The lines of a file, to be read inside; one that cannot be read as a table ends the command (exit 2)."""
    named = f"{option} {file}".strip()
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except OSError as error:
        fail(Exit.USAGE, f"{named}: {error.strerror}")
    except UnicodeDecodeError as error:
        fail(Exit.USAGE, f"{named}: not UTF-8 (byte {error.start})")
    except ColumnsError as error:
        fail(Exit.USAGE, f"{named}: {error}")
