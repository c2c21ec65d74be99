"""Compare PAM-FR 2.11.2 with the machine-readable schemas of Ben0it-T/hl7v2 (MIT) and list the differences.

    python tools/compare_pam_tables.py PATH_TO/schemas

The folder holds fields/, segments/, dataTypes/ and hl7tables.json. Differences are expected where the schemas disagree
with the specification: PAM-FR is right.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from insigne.pam.editions import EDITIONS, NEWEST, Edition


def _read(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return document


def _table(name: str) -> str:
    return name.partition(",")[0].removeprefix("HL7").replace("IHE-FRANCE-", "FR-")


def compare_fields(edition: Edition, folder: Path) -> Iterator[str]:
    """Yield the fields whose type, length, table, usage or repetitions differ."""
    segments, fields = _read(folder, "segments/segments.json"), _read(folder, "fields/fields.json")
    for name, known in edition.segments.items():
        for element in segments[name]["fields"]:
            number = int(element["field"].split(".")[1])
            theirs = fields[element["field"]]
            usage = element.get("Usage") or ("R" if element["minOccurs"] != "0" else "O")
            most = 0 if usage == "X" or element["maxOccurs"] == "unbounded" else int(element["maxOccurs"])
            other = (theirs["Type"], int(theirs["maxLength"]), _table(theirs["Table"]), usage, most)
            field = known.get(number)
            ours = field and (field.type, field.length, field.table, field.usage, field.most)
            if ours != other:
                yield f"{name}-{number}: ours {ours}, theirs {other}"


def compare_types(edition: Edition, folder: Path) -> Iterator[str]:
    """Yield the components whose usage, type, length or table differ."""
    types = _read(folder, "dataTypes/dataTypes.json")
    for name, components in edition.types.items():
        for rank, (ours, element) in enumerate(zip(components, types[name]["components"], strict=True), 1):
            theirs = types[element["dataType"]]
            usage = element.get("Usage") or ("R" if element["minOccurs"] != "0" else "O")
            other = (usage, theirs["Type"], int(theirs.get("maxLength") or 0), _table(theirs.get("Table") or ""))
            if (ours.usage, ours.type, ours.length, ours.table) != other:
                yield f"{name}.{rank}: ours {ours}, theirs {other}"


def compare_tables(edition: Edition, folder: Path) -> Iterator[str]:
    """Yield the code lists that differ, those left open apart."""
    tables = _read(folder, "hl7tables.json")
    for name, table in edition.tables.items():
        theirs = set(tables[name.replace("FR-", "IHE-FRANCE-")]["elements"])
        if table.codes and set(table.codes) != theirs:
            yield f"table {name}: only ours {sorted(table.codes - theirs)}, only theirs {sorted(theirs - table.codes)}"


def main(folder: Path) -> None:
    """Print every difference."""
    edition = EDITIONS[NEWEST]
    for compare in (compare_fields, compare_types, compare_tables):
        for line in compare(edition, folder):
            print(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
