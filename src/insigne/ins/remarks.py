"""What the room says about a value: a remark (integrate and warn) or an entry error (refuse what is being typed)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """A doubt about a value that never refuses it: a published INS may itself break the rule.

    `code` is stable and lower-case (`matricule-key`); the two sentences say the same thing and hold no personal value.
    """

    code: str
    message: str
    message_fr: str


class EntryError(ValueError):
    """A value typed at entry that breaks a rule of the RNIV and has no equivalent to put in its place.

    `field` is the trait; `character` the offending character ("" when the whole value is at fault); `position` its
    1-based place in the text as typed (0 without a character); `rule` a stable code; `remedy` what to type instead.
    Only one character of the value is quoted, so that the sentence can be logged.
    """

    def __init__(
        self, field: str, rule: str, *, remedy: str, message_fr: str, character: str = "", position: int = 0
    ) -> None:
        self.field = field
        self.character = character
        self.position = position
        self.rule = rule
        self.remedy = remedy
        self.message_fr = message_fr
        where = f" at position {position} ({name_of(character)})" if character else ""
        super().__init__(f"{field}: rule {rule}{where}: {remedy}")


def name_of(character: str) -> str:
    """Return a character as a sentence can show it: in quotes, with its code point when it is not plain ASCII."""
    code = f"U+{ord(character):04X}"
    if not character.isprintable() or character.isspace():
        return code
    return f"'{character}'" if character.isascii() else f"'{character}' {code}"
