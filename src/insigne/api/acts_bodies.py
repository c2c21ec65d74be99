"""The bodies of the acts. A field not known is refused; so is a text too long or with control characters."""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from insigne.api.problems import Error, Problem
from insigne.ins.status import Attribute
from insigne.ins.traits import StrictTraits
from insigne.registry.commands import DetailsAssertion

#: No control character. What ends a line at the end of the text is one too, which `$` alone would let through.
_PLAIN: Final = "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$(?!\\n)"

Text = Annotated[str, Meta(max_length=200, pattern=_PLAIN)]
Code = Annotated[str, Meta(max_length=16, pattern=_PLAIN)]
Call = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
Note = Annotated[str, Meta(max_length=500, pattern=_PLAIN, description="Why, for the history.")]
Reason = Annotated[Note, Meta(min_length=1)]
Reference = Annotated[Text, Meta(min_length=1, description="The id of an identity, or AUTHORITY|VALUE.")]
Attributes = Annotated[tuple[Attribute, ...], Meta(max_length=3)]
Country = Annotated[str, Meta(pattern="^([A-Z]{3})?$(?!\\n)", description="ISO 3166-1, three letters.")]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What every body is."""


Kind = TypeVar("Kind", bound=Body)


class TypedTraits(Body, frozen=True):
    """The strict traits as typed; the rules of entry normalise them. "" where nothing is said."""

    birth_name: Text = ""
    first_given_name: Text = ""
    given_names: Annotated[Text, Meta(description="All birth given names, in civil order, parted by spaces.")] = ""
    birth_date: Annotated[Text, Meta(description="YYYY-MM-DD, 00 for an unknown month or day.")] = ""
    sex: Annotated[Text, Meta(description="M, F, or I when it is undetermined.")] = ""
    birth_place: Annotated[Text, Meta(description="INSEE code of the birthplace, 99999 when unknown.")] = ""

    def strict(self) -> StrictTraits:
        """As the rules of entry take them."""
        return StrictTraits(
            self.birth_name,
            self.first_given_name,
            self.given_names,
            self.birth_date,
            self.sex.upper(),
            self.birth_place,
        )


class TypedDetails(Body, frozen=True):
    """Complementary traits: null leaves one as it is, "" deletes it. No machine fills the used names."""

    used_name: Text | None = None
    used_given_name: Text | None = None
    nationality: Country | None = None
    mother_name: Text | None = None

    def said(self) -> DetailsAssertion:
        """As an act says them."""
        return DetailsAssertion(
            used_name=self.used_name,
            used_given_name=self.used_given_name,
            nationality=self.nationality,
            mother_name=self.mother_name,
        )


class Create(Body, frozen=True):
    """Create an identity. `none_of`: those the search found, none of whom is this person."""

    traits: TypedTraits
    details: TypedDetails = TypedDetails()
    attributes: Attributes = ()
    newborn: bool = False
    none_of: Annotated[tuple[Reference, ...], Meta(max_length=500)] = ()
    reason: Note = ""


class Edit(Body, frozen=True):
    """Change traits. A strict trait left "" stays; changing one needs a reason."""

    traits: TypedTraits = TypedTraits()
    details: TypedDetails = TypedDetails()
    reason: Note = ""


class RetrieveIns(Body, frozen=True):
    """Have INSi asked. `document_at_hand`: the identity document is seen at the same time (RECO PP 03)."""

    document_at_hand: bool = False


class VerifyIns(Body, frozen=True):
    """Have INSi verify the INS held, or the one read on a Data Matrix."""


class Accept(Body, frozen=True):
    """Accept the answer of INSi that was compared with the person: `call` is its own, as `insi-answer` gives it."""

    call: Call
    first_given_name: Text = ""


class Refuse(Body, frozen=True):
    """Refuse the answer of INSi that was seen."""

    call: Call
    reason: Reason


class RecordProof(Body, frozen=True):
    """An identity document was checked against the traits; `second` is that of the parent or guardian of a minor."""

    type: Annotated[Code, Meta(min_length=1, description="Its code; none is chosen in advance.")]
    expiry: Annotated[Text, Meta(description="YYYY-MM-DD, the end of its validity.")] = ""
    second: Code = ""
    second_expiry: Text = ""
    ehpad: bool = False


class SetAttribute(Body, frozen=True):
    """Set some attributes beside those there are, lift others."""

    reason: Reason
    set: Attributes = ()
    lift: Attributes = ()


class ReadDataMatrix(Body, frozen=True):
    """The text of an INS Data Matrix, group separators as \\u001d."""

    payload: Annotated[str, Meta(min_length=1, max_length=1024)]


class QualifyByCard(Body, frozen=True):
    """What the Application carte Vitale gave."""

    matricule: Text
    oid: Text
    birth_name: Text
    given_names: Text
    sex: Text
    birth_date: Text
    birth_place: Text = ""
    first_given_name: Text = ""


class Merge(Body, frozen=True):
    """Merge another identity into this one."""

    absorbed: Reference
    reason: Reason


class Unmerge(Body, frozen=True):
    """Let this identity, which was merged, stand again."""

    reason: Reason


class Assign(Body, frozen=True):
    """Give the item to a user, or to nobody with ""."""

    assignee: Text


class Close(Body, frozen=True):
    """Settle the item. `apply`: what was held back is applied, instead of dropped; `seen`: its `messages`, as shown."""

    outcome: Reason
    apply: bool = False
    seen: Annotated[int, Meta(ge=0)] = 0


def read(body: bytes, kind: type[Kind]) -> Kind:
    """The body, of that kind. Raises Problem: 400 when it is not JSON, 422 when it is not as described."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or "body"
        fault = Error(field, "shape", said, "Corrigez ce champ d’après /api/v1/openapi.json")
        raise Problem(
            422,
            "shape",
            "the body is not as described: see errors",
            "le corps n’est pas celui qui est décrit : voir errors",
            [fault],
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "json", "the body is not JSON", "le corps n’est pas du JSON") from None
