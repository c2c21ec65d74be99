"""Problem details (RFC 9457): how the JSON interface says no, in English and French.

`type` is `urn:insigne:problem:CODE`; `errors` lists every fault with its field, rule and remedy. No trait is quoted but
the character that an entry rule refuses.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from insigne.exchange.desk import EntryRefused
from insigne.ins.remarks import EntryError, Remark
from insigne.registry.decision import Fault, Refused

MEDIA_TYPE: Final = "application/problem+json"

_TYPE: Final = "urn:insigne:problem:"

#: HTTP status: code, title, title in French.
_BY_STATUS: Final = {
    400: ("request", "The request cannot be used", "La requête est inutilisable"),
    401: ("token", "No valid token", "Jeton absent ou non valable"),
    403: ("scope", "The token does not allow this", "Le jeton ne le permet pas"),
    404: ("not-found", "Nothing is here", "Rien ne se trouve ici"),
    405: ("method", "This method is not served here", "Cette méthode n’est pas servie ici"),
    408: ("late", "The body came too late", "Le corps de la requête est arrivé trop tard"),
    409: ("conflict", "Something else happened first", "Autre chose s’est produit entre-temps"),
    413: ("too-large", "The body is too large", "Le corps de la requête est trop grand"),
    415: ("media-type", "Send JSON", "Envoyez du JSON"),
    422: ("rule", "A rule refuses it", "Une règle s’y oppose"),
    428: ("if-match", "Say which version was seen", "Indiquez la version consultée"),
    429: ("wait", "Too many refusals: wait", "Trop de refus : patientez"),
    503: ("unavailable", "Not available now", "Indisponible pour le moment"),
}
_INTERNAL: Final = ("internal", "Internal error", "Erreur interne")

_FAULTS: Final = {
    Fault.REQUIRED: 422,
    Fault.FORBIDDEN: 422,
    Fault.UNKNOWN_KEY: 404,
    Fault.DUPLICATE_KEY: 409,
    Fault.CONFLICT: 409,
}


class Error(Struct, frozen=True, omit_defaults=True):
    """One fault: the field of the body or the part of the identity, the rule broken, what to do about it.

    `position` is the 1-based place of the character at fault in the text as typed, when there is one.
    """

    field: str
    rule: str
    remedy: str
    remedy_fr: str
    position: int = 0


class Problem(Exception):  # noqa: N818 - an answer, not a failure
    """What is answered instead of the Patient. `more` are members and `headers` headers of that problem alone."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        detail_fr: str,
        errors: Iterable[Error] = (),
        *,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.detail_fr = detail_fr
        self.errors = tuple(errors)
        self.more = dict(more or {})
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        _, title, title_fr = _BY_STATUS.get(self.status, _INTERNAL)
        document: dict[str, Any] = {
            "type": _TYPE + self.code,
            "title": title,
            "title_fr": title_fr,
            "status": self.status,
            "detail": self.detail,
            "detail_fr": self.detail_fr,
        }
        if self.errors:
            document["errors"] = self.errors
        return Response(msgspec.json.encode(document | self.more), self.status, self.headers, MEDIA_TYPE)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem that a status tells by itself."""
    code, _, title_fr = _BY_STATUS.get(status, _INTERNAL)
    return Problem(status, code, detail, title_fr, headers=headers)


def of_refusal(refused: Refused) -> Problem:
    """What the rules of the registry refuse."""
    error = Error(
        str(refused.subject), refused.code, refused.remedy or refused.text, refused.remedy_fr or refused.text_fr
    )
    return Problem(_FAULTS[refused.fault], refused.code, refused.text, refused.text_fr, [error])


def of_entry(refused: EntryRefused) -> Problem:
    """What the rules of entry refuse, every fault listed."""
    return Problem(
        422,
        "entry",
        "what was entered breaks rules of entry: see errors",
        "la saisie enfreint des règles : voir errors",
        [_typed(error) for error in refused.errors],
    )


def of_remarks(code: str, field: str, remarks: Iterable[Remark]) -> Problem:
    """What is refused for reasons that have a code each."""
    told = tuple(remarks)
    return Problem(
        422,
        code,
        "; ".join(one.message for one in told),
        " ; ".join(one.message_fr for one in told),
        [Error(field, one.code, one.message, one.message_fr) for one in told],
    )


def _typed(error: EntryError) -> Error:
    return Error(error.field, error.rule, error.remedy, error.message_fr, error.position)
