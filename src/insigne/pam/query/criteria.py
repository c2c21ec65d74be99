"""The demographics a PDQ asks for, and who meets them (IHE ITI TF-2, ITI-21, QPD-3)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from insigne.ins.dates import BirthDate
from insigne.ins.names import fold_name
from insigne.registry.state import Identity
from insigne.registry.values import Authority


class Wanted(msgspec.Struct, frozen=True):
    """An identifier asked for: its value and, when told, its authority and its type (table 0203)."""

    value: str
    authority: Authority = Authority()
    type: str = ""


class Criteria(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person must meet, every one of them; "" is anything.

    Names compare without case, accents nor separators, and whole unless they end in `*`. `birth_date` is YYYYMMDD,
    `sex` M, F or I. `account` is an account or visit number (PID-18).
    """

    identifier: Wanted | None = None
    account: Wanted | None = None
    family: str = ""
    given: str = ""
    birth_date: str = ""
    sex: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""

    def met_by(self, identity: Identity) -> bool:
        """Whether a person meets the demographics; identifiers are looked up, not compared here."""
        traits, details = identity.traits, identity.details
        return (
            _any(self.family, (traits.birth_name, details.used_name), fold_name)
            and _any(self.given, _given(identity), fold_name)
            and (not self.birth_date or self.birth_date == _day(traits.birth_date))
            and self.sex in ("", traits.sex)
            and _any(self.street, (address.street for address in details.addresses), fold_name)
            and _any(self.city, (address.city for address in details.addresses), fold_name)
            and _any(self.postal_code, (address.postal_code for address in details.addresses), str.upper)
            and _any(self.country, (address.country for address in details.addresses), str.upper)
            and _any(self.phone, (telecom.value for telecom in details.telecoms), _digits)
        )

    @property
    def prefix(self) -> str:
        """The beginning that the family name must have."""
        return self.family.rstrip("*")


def _any(asked: str, held: Iterable[str], fold: Callable[[str], str]) -> bool:
    """Whether one of the values held is the one asked for, or begins so when that ends in `*`."""
    if not asked:
        return True
    wanted = fold(asked.rstrip("*"))
    if asked.endswith("*"):
        return any(fold(value).startswith(wanted) for value in held if value)
    return any(fold(value) == wanted for value in held if value)


def _given(identity: Identity) -> Iterable[str]:
    """Every given name: the first, each of the list, the list whole, the used one."""
    traits = identity.traits
    words = traits.given_names.split()
    return (traits.first_given_name, traits.given_names, identity.details.used_given_name, *words)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _day(text: str) -> str:
    """A birth date as YYYYMMDD, as held when it is not one."""
    try:
        return BirthDate.parse(text).iso().replace("-", "")
    except ValueError:
        return text


#: Field of PID named in QPD-3 → the criterion it sets.
FIELDS: Final[Mapping[str, str]] = {
    "PID.5": "family",
    "PID.5.1": "family",
    "PID.5.1.1": "family",
    "PID.5.2": "given",
    "PID.7": "birth_date",
    "PID.7.1": "birth_date",
    "PID.8": "sex",
    "PID.11.1": "street",
    "PID.11.1.1": "street",
    "PID.11.3": "city",
    "PID.11.5": "postal_code",
    "PID.11.6": "country",
    "PID.13.1": "phone",
    "PID.13.12": "phone",
}
