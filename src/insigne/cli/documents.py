"""What the commands on documents share: reading and writing files, naming identities, telling refusals."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer

from insigne.cli.common import Context, Exit, fail
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.documents.errors import DocumentError
from insigne.registry.state import Identity

IdentityOption = Annotated[
    str, typer.Option("--identity", metavar="ID", help="AUTHORITY|VALUE, or the id of the identity here.")
]
InFile = Annotated[Path, typer.Argument(metavar="IN", exists=True, dir_okay=False, readable=True)]


def identity_named(context: Context, text: str) -> Identity:
    """The standing identity that `--identity` names; ends the command when there is none."""
    with reading(context) as view:
        return named(context, view, text, view.identity)


def refuse(file: Path, error: DocumentError) -> NoReturn:
    """End the command: this document cannot be handled."""
    fail(Exit.PROBLEMS, f"{file}: {error}")


def contents(file: Path, most: int) -> bytes:
    """The bytes of a file of at most `most` (documents.max_bytes)."""
    checked_size(file, most)
    return file.read_bytes()


def checked_size(file: Path, most: int) -> None:
    """End the command when a file is larger than `most` bytes (documents.max_bytes)."""
    size = file.stat().st_size
    if size > most:
        fail(Exit.PROBLEMS, f"{file}: {size} bytes, more than documents.max_bytes ({most})")


@contextmanager
def written(file: Path) -> Iterator[BinaryIO]:
    """A file that appears whole when all went well, and not at all otherwise."""
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as out:
            yield out
        partial.replace(file)
    except OSError as error:
        fail(Exit.USAGE, f"{file}: {error.strerror}")
    finally:
        partial.unlink(missing_ok=True)
