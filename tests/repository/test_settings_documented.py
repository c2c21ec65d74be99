"""docs/settings.md names every key of the configuration, or the page that does."""

import re
from pathlib import Path

import msgspec
import pytest

from insigne.config import Config

DOCS = Path(__file__).parents[2] / "docs"
NAMES = ("settings.md", "insi.md", "enrolment.md", "emission.md", "transports.md", "mssante.md", "dmp-wire.md")
PAGES = "\n".join((DOCS / name).read_text(encoding="utf-8") for name in NAMES)
NAMED = set(re.findall(r"`([a-z_0-9.]+)`", PAGES))


def keys(settings, prefix=""):
    """Dotted keys down to values; the items of a list of tables count by their last name."""
    for field in msgspec.structs.fields(settings):
        inner = [kind for kind in _parts(field.type) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        if inner:
            yield from keys(inner[0], f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def _parts(kind):
    arguments = getattr(kind, "__args__", ())
    return [kind] if not arguments else [part for argument in arguments for part in _parts(argument)]


@pytest.mark.parametrize("key", sorted(keys(Config)))
def test_a_key_is_documented(key):
    names = key.split(".")
    endings = {".".join(names[start:]) for start in range(len(names))}
    table = key.rpartition(".")[0]
    assert endings & NAMED or table in NAMED, f"{key} is in no table of {', '.join(NAMES)}"
