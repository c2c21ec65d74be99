"""FHIR: reading a Patient, searching, and what the server can do."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import format_datetime
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from insigne.api.deps import ApiDeps, IdentityReader
from insigne.api.responses import fhir_response
from insigne.fhir import Resource, capability_statement, patient_of, resolve, searchset, split_token, survivor
from insigne.fhir.dates import fhir_day
from insigne.registry.state import Identity

BASE_PATH: Final = "/fhir/R4"
DEFAULT_COUNT: Final = 50
MOST_COUNT: Final = 200
#: Pages go no further: a search that finds so many people is not one.
MOST_OFFSET: Final = 2000

_ALLOWED: Final = frozenset(
    {"_id", "identifier", "birthdate", "family", "given", "gender", "_count", "_offset", "_format"}
)
_SEXES: Final = {"male": "M", "female": "F"}


class Patients:
    """The handlers of `/fhir/R4`. They run in threads, each request on a view of its own."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    def metadata(self, request: Request) -> Response:
        """`GET /fhir/R4/metadata`."""
        started = self._deps.started.isoformat(timespec="seconds")
        return fhir_response(capability_statement(version=self._deps.version, date=started, base=self._base(request)))

    def read(self, request: Request) -> Response:
        """`GET /fhir/R4/Patient/{id}`; a merged identity answers by its survivor."""
        with self._deps.reader() as reader:
            identity = reader.identity(request.path_params["id"])
            if identity is None:
                raise HTTPException(404, "no Patient has this id")
            built = patient_of(reader.identity, identity, self._deps.cog())
        return _versioned(request, built, f"{self._base(request)}/Patient/{built['id']}")

    def search(self, request: Request) -> Response:
        """`GET /fhir/R4/Patient?…`: by identifier, or by birth date with or without names."""
        given = _parameters(request)
        count = _number(given, "_count", DEFAULT_COUNT, MOST_COUNT)
        offset = _number(given, "_offset", 0, MOST_OFFSET)
        with self._deps.reader() as reader:
            page = list(islice(_found(reader, given, offset + count + 1), offset, offset + count + 1))
            cog = self._deps.cog()
            entries = [patient_of(reader.identity, identity, cog) for identity in page[:count]]
        base = self._base(request)
        following = ""
        if len(page) > count and offset + count <= MOST_OFFSET:
            following = _address(base, {**given, "_count": str(count), "_offset": str(offset + count)})
        return fhir_response(searchset(entries, base, _address(base, given), following))

    def _base(self, request: Request) -> str:
        return fhir_base(request, self._deps.public_url)


def fhir_base(request: Request, public_url: str) -> str:
    """The address of the FHIR interface as the one who asks knows it."""
    root = public_url or str(request.base_url)
    return root.rstrip("/") + BASE_PATH


def _versioned(request: Request, built: Resource, location: str) -> Response:
    version, updated = built["meta"]["versionId"], datetime.fromisoformat(built["meta"]["lastUpdated"])
    etag = f'W/"{version}"'
    headers = {
        "etag": etag,
        "last-modified": format_datetime(updated.replace(microsecond=0), usegmt=True),
        "content-location": location,
    }
    wanted = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in wanted:
        return Response(status_code=304, headers=headers)
    return fhir_response(built, headers=headers)


def _parameters(request: Request) -> dict[str, str]:
    """The parameters of a search; one that we would not apply is refused, since its answer would be wrong."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in _ALLOWED:
            raise HTTPException(400, f"search parameter not supported: use {', '.join(sorted(_ALLOWED))}")
        if name in given:
            raise HTTPException(400, f"{name}: given twice, which is not supported")
        given[name] = value.strip()
    return given


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise HTTPException(400, f"{name}: a number is expected")
    least = 1 if name == "_count" else 0
    return max(least, min(int(text), most))


def _found(reader: IdentityReader, given: Mapping[str, str], limit: int) -> Iterator[Identity]:
    """The standing identities found, each once."""
    seen: set[str] = set()
    for identity in _matching(reader, given, limit):
        standing = survivor(reader.identity, identity)
        if standing.id not in seen:
            seen.add(standing.id)
            yield standing


def _matching(reader: IdentityReader, given: Mapping[str, str], limit: int) -> Iterator[Identity]:
    if given.get("identifier"):
        pair = split_token(given["identifier"])
        if pair is None:
            raise HTTPException(400, "identifier: expected SYSTEM|VALUE")
        matching: Iterator[Identity] = iter(resolve(reader, *pair))
    elif given.get("_id"):
        identity = reader.identity(given["_id"])
        matching = iter([identity] if identity is not None else [])
    elif given.get("birthdate"):
        return _by_traits(reader, given, limit)
    else:
        raise HTTPException(400, "give identifier=SYSTEM|VALUE, or birthdate with or without family, given, gender")
    if {"family", "given", "gender", "birthdate"} & {name for name, value in given.items() if value}:
        raise HTTPException(400, "identifier and _id are not combined with traits")
    return matching


def _by_traits(reader: IdentityReader, given: Mapping[str, str], limit: int) -> Iterator[Identity]:
    day = fhir_day(given["birthdate"].removeprefix("eq").replace("-", ""))
    if not day:
        raise HTTPException(400, "birthdate: expected a day, YYYY-MM-DD")
    gender = given.get("gender", "")
    if gender and gender not in _SEXES:
        raise HTTPException(400, "gender: expected male or female")
    found = reader.search(
        day, name=given.get("family", ""), given=given.get("given", ""), sex=_SEXES.get(gender, ""), limit=limit
    )
    return iter(found)


def _address(base: str, given: Mapping[str, str]) -> str:
    return f"{base}/Patient?{urlencode(given)}"
