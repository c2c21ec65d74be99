"""What a check of the base found, and how far an operation is."""

from collections.abc import Callable
from typing import Final

import msgspec

#: (done, total): told now and then while an operation runs; `total` is an estimate when others write meanwhile.
Progress = Callable[[int, int], None]

#: Problems told one by one; the others are only counted.
MOST_PROBLEMS: Final = 100
#: Steps between two calls of a Progress.
STRIDE: Final = 500


def silent(_done: int, _total: int) -> None:
    """A Progress that tells nobody."""


class Report(msgspec.Struct):
    """What was checked, by kind, with how many, and the problems found: ids and rules, never traits."""

    checked: dict[str, int | str] = {}
    problems: list[str] = []
    unlisted: int = 0

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def problem(self, text: str) -> None:
        """Note a problem."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(text)
        else:
            self.unlisted += 1

    def document(self) -> dict[str, object]:
        """The JSON document of the command line: ok, checked, problems."""
        problems = [*self.problems, *([f"and {self.unlisted} more"] if self.unlisted else [])]
        return {"ok": self.ok, "checked": self.checked, "problems": problems}
