"""docs/access.md shows each role with its rights, as the program grants them."""

import re
from pathlib import Path

from insigne.access import Right, Role
from insigne.access.rights import GRANTS, MEANINGS

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")


def test_the_table_of_roles_is_that_of_the_program():
    rows = re.findall(r"^\| `([a-z.]+)` \| (.+?) \| (.*) \|$", PAGE, re.MULTILINE)
    shown = {right: (meaning, [mark.strip() == "x" for mark in marks.split("|")]) for right, meaning, marks in rows}
    assert shown == {str(right): (MEANINGS[right][0], [right in GRANTS[role] for role in Role]) for right in Right}
