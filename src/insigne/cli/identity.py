"""`insigne identity`: show, search and follow identities; acts on them are imported only to be done."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import msgspec
import typer

from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note, parse_time
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.fhir import Resource, family, patient_of
from insigne.fhir import named as identities_named
from insigne.fhir.terms import BIRTH_LIST_GIVEN_NAME
from insigne.ins.cog import bundled_cog
from insigne.ins.dates import BirthDate
from insigne.ins.matricule import compact
from insigne.registry.events import IdentityCreated, IdentitySnapshot, NationalAnswerRefused, PriorSearchMade
from insigne.registry.evolve import evolve
from insigne.registry.settings import policy
from insigne.registry.state import Identity
from insigne.store.errors import HistoryErased
from insigne.store.journal import JournalEntry
from insigne.store.moments import rfc3339
from insigne.store.queries import ReadView

ACTS: Final = {
    "create": ("insigne.cli.identity_acts", "Create an identity, after searching for it."),
    "edit": ("insigne.cli.identity_acts", "Change the traits of an identity."),
    "set-attribute": ("insigne.cli.identity_acts", "Set or lift the attributes HOMA, DOUT, FICT."),
    "merge": ("insigne.cli.identity_acts", "Merge an identity into another."),
    "unmerge": ("insigne.cli.identity_acts", "Undo a merge."),
    "retrieve-ins": ("insigne.cli.identity_answers", "Ask INSi for the INS of an identity, now."),
    "accept": ("insigne.cli.identity_answers", "Accept the INS that INSi gave."),
    "refuse": ("insigne.cli.identity_answers", "Refuse the INS that INSi gave."),
    "record-proof": ("insigne.cli.identity_qualification", "Record the check of an identity document."),
    "proof-copy": ("insigne.cli.identity_copies", "Read the copy kept of an identity document."),
    "verify-ins": ("insigne.cli.identity_qualification", "Have INSi verify the INS held."),
    "qualify-by-card": ("insigne.cli.identity_qualification", "Qualify by the Application carte Vitale."),
    "scan": ("insigne.cli.identity_qualification", "Take the INS of a Data Matrix, and have it verified."),
}
"""Act → (module that holds it, its line in `insigne identity --help`). Reading imports nothing of them."""


app = group_app(
    "Show, search and follow identities, and act on those that are ours.",
    examples(
        "insigne identity show 'GAM|4071'",
        "insigne identity search --birth-date 1975-03-02 --name LES --json",
        "insigne identity record-proof 'GAM|4071' --help",
    ),
    ACTS,
)

IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="AUTHORITY|VALUE, the authority being an OID, a FINESS number or a namespace (the OID of the INS finds a "
        "matricule); or the id of the identity here.",
    ),
]


@app.command(
    epilog=examples(
        "insigne identity show 'GAM|4071'",
        "insigne identity show '1.2.250.1.213.1.4.8|285076311304226' --json",
        "insigne identity show 'GAM|4071' --at 2026-03-01T08:30:00+01:00",
    )
)
def show(
    ctx: typer.Context,
    identity: IdArgument,
    *,
    at: Annotated[str, typer.Option(metavar="TIME", help="As it was at this moment (RFC 3339).")] = "",
) -> None:
    """Show an identity, as a FHIR R4 Patient of FR Core with --json.

    A merged identity answers by the one it was merged into. Exit 1 when nobody is known by that name.
    """
    context = Context.of(ctx)
    moment = rfc3339(parse_time(at, "--at")) if at else ""
    with reading(context) as view:
        read = _reader_at(view, moment)
        found = named(context, view, identity, read)
        document = patient_of(read, found, bundled_cog())
    if context.json:
        emit(document)
    else:
        print_fields(fields(document))


@app.command(
    epilog=examples(
        "insigne identity history 'GAM|4071'",
        "insigne identity history 'GAM|4071' --json | jq -c 'select(.event == \"ins-withdrawn\")'",
    )
)
def history(ctx: typer.Context, identity: IdArgument) -> None:
    """List what happened to an identity, and to those merged into it, oldest first.

    With --json, one line an event: time, event, author, cause, reason, and what changed before and after it.
    """
    context = Context.of(ctx)
    with reading(context) as view:
        found = named(context, view, identity, view.identity)
        lines = [line for person in (found, *family(view.identity, found)) for line in _history(view, person.id)]
    lines.sort(key=lambda line: line.seq)
    if context.json:
        for line in lines:
            emit_line(line.document)
        return
    rows = [
        (line.document["time"], line.document["event"], line.document["author"], line.changes, line.document["reason"])
        for line in lines
    ]
    print_table(("time", "event", "author", "changed", "reason"), rows, none="nothing happened")


@app.command(
    epilog=examples(
        "insigne identity search --birth-date 1985-07-12",
        "insigne identity search --birth-date 1985-07-12 --name les --given mar --json",
    )
)
def search(
    ctx: typer.Context,
    *,
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Date of birth.")],
    name: Annotated[str, typer.Option(help="First letters of the birth name or of the used name.")] = "",
    given: Annotated[str, typer.Option(help="First letters of a given name.")] = "",
    sex: Annotated[str, typer.Option(metavar="M|F", help="Sex.")] = "",
    ins: Annotated[str, typer.Option(metavar="MATRICULE", help="Matricule INS held now.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most identities to show.")] = 200,
) -> None:
    """Search identities by date of birth and first letters, as the RNIV asks before creating one.

    Case, accents, hyphens, apostrophes and spaces do not count. With --json, one FHIR Patient a line.
    """
    context = Context.of(ctx)
    if sex not in ("", "M", "F"):
        fail(Exit.USAGE, f"--sex: {sex!r} is neither M nor F")
    try:
        BirthDate.parse(birth_date)
    except ValueError as error:
        fail(Exit.USAGE, f"--birth-date: {error}")
    with reading(context) as view:
        found = view.search(birth_date, name=name, given=given, sex=sex, ins=compact(ins), limit=limit)
        patients = [patient_of(view.identity, identity, bundled_cog()) for identity in found]
    if context.json:
        for document in patients:
            emit_line(document)
        return
    titles = ("id", "status", "birth name", "given name", "born", "gender", "identifier")
    print_table(titles, map(row, patients), none="nobody found")


def _reader_at(view: ReadView, moment: str) -> Callable[[str], Identity | None]:
    if not moment:
        return view.identity

    def read(identity_id: str) -> Identity | None:
        try:
            state = view.identity_at(identity_id, moment)
        except HistoryErased as error:
            fail(Exit.PROBLEMS, f"--at: {error}")
        if state is None and any(e.event is None and e.time <= moment for e in view.history(identity_id)):
            fail(Exit.PROBLEMS, f"--at: what identity {identity_id} was then was erased by a purge")
        return state

    return read


def named(context: Context, view: ReadView, text: str, read: Callable[[str], Identity | None]) -> Identity:
    """The standing identity that an argument names; ends the command when there is none."""
    config = context.config
    universal = policy(config.environment, config.authorities, config.registry).universal
    found = identities_named(view, text, universal, read)
    if not found:
        fail(Exit.PROBLEMS, "no identity is known by that identifier (AUTHORITY|VALUE, or an id of this base)")
    if len(found) > 1:
        note(f"{len(found)} identities have this identifier; also: {', '.join(other.id for other in found[1:])}")
    return found[0]


class _Line(msgspec.Struct):
    """One line of a history: its place in the journal, the document, and the names of what changed."""

    seq: int
    document: dict[str, Any]
    changes: str


def _history(view: ReadView, identity_id: str) -> Iterator[_Line]:
    state: Identity | None = None
    for entry in view.history(identity_id):
        following, before, after = None, None, None
        if state is not None or isinstance(entry.event, IdentityCreated | IdentitySnapshot):
            following = _after(state, entry)
        if following is not None:
            before, after = _difference(state, following)
            after = after or _noted(entry.event)
        state = following
        yield _Line(entry.seq, _document(entry, before, after), ", ".join(after or ()))


def _noted(event: object) -> dict[str, Any]:
    """What an event that changes nothing of the identity has to tell: a search made before, an answer refused."""
    told = msgspec.to_builtins(event) if isinstance(event, PriorSearchMade | NationalAnswerRefused) else {}
    return {name: value for name, value in told.items() if name not in _SAID_APART}


def _after(state: Identity | None, entry: JournalEntry) -> Identity | None:
    """The state after an entry; None once a purge erased it: a snapshot follows."""
    following = None if entry.event is None else evolve(state, entry.record)
    return following if isinstance(following, Identity) else None


def _document(entry: JournalEntry, before: object, after: object) -> dict[str, Any]:
    erased = "erased by a purge" if entry.event is None else ""
    return {
        "time": entry.time,
        "event": entry.type,
        "author": entry.author,
        "cause": {"kind": entry.cause_kind, "id": entry.cause_id},
        "reason": erased or getattr(entry.event, "reason", ""),
        "before": before,
        "after": after,
        "identity": entry.stream_id,
        "seq": entry.seq,
    }


_SAID_APART = frozenset({"type", "reason"})
_UNTOLD = frozenset({"id", "version", "updated"})


def _difference(before: Identity | None, after: Identity) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What changed of a state: the fields that differ, on each side; of a new one, all that is known."""
    new = _told(after)
    if before is None:
        return None, {name: value for name, value in new.items() if value}
    return _differing(_told(before), new)


def _differing(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    left: dict[str, Any] = {}
    right: dict[str, Any] = {}
    for name, value in new.items():
        if old[name] == value:
            continue
        if isinstance(value, dict) and isinstance(old[name], dict) and old[name].keys() == value.keys():
            left[name], right[name] = _differing(old[name], value)
        else:
            left[name], right[name] = old[name], value
    return left, right


def _told(identity: Identity) -> dict[str, Any]:
    fields = {name: value for name, value in _plain(identity).items() if name not in _UNTOLD}
    return {"status": identity.status.value, **fields}


def _plain(value: Any) -> Any:
    """A state as JSON has it, every field said."""
    if isinstance(value, msgspec.Struct):
        return {field: _plain(getattr(value, field)) for field in value.__struct_fields__}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def fields(patient: Resource) -> Iterator[tuple[str, str]]:
    """A Patient as names and values for a person."""
    yield "id", patient["id"]
    yield "status", _status(patient)
    yield "active", "" if patient["active"] else "no"
    for identifier in patient.get("identifier", []):
        yield _label(identifier), f"{identifier['value']}  ({identifier['use']})"
    for name in patient.get("name", []):
        yield f"{name.get('use', 'other')} name", f"{name.get('family', '')} {' '.join(name.get('given', []))}".strip()
        listed = [one["valueString"] for one in name.get("extension", []) if one["url"] == BIRTH_LIST_GIVEN_NAME]
        yield "birth given names", " ".join(listed)
    yield "born", patient.get("birthDate", "")
    yield "gender", patient.get("gender", "")
    yield "birthplace", _birth_place(patient)
    yield "deceased", _deceased(patient)
    for link in patient.get("link", []):
        yield link["type"], link["other"]["reference"]
    yield "updated", f"{patient['meta']['lastUpdated']} (version {patient['meta']['versionId']})"


def _deceased(patient: Resource) -> str:
    if "deceasedBoolean" in patient:
        return "yes" if patient["deceasedBoolean"] else "no"
    return str(patient.get("deceasedDateTime", ""))


def row(patient: Resource) -> tuple[str, ...]:
    """A Patient as a row of a list: id, status, names, birth date, gender, identifier."""
    official: Resource = next((name for name in patient.get("name", []) if name.get("use") == "official"), {})
    current = [found for found in patient.get("identifier", []) if found["use"] == "usual"]
    return (
        patient["id"],
        _status(patient),
        official.get("family", ""),
        " ".join(official.get("given", [])),
        patient.get("birthDate", ""),
        patient.get("gender", ""),
        f"{_label(current[0])} {current[0]['value']}" if current else "",
    )


def _label(identifier: Resource) -> str:
    kind = identifier.get("type", {}).get("coding", [{}])[0].get("code", "identifier")
    authority = identifier.get("assigner", {}).get("display", identifier.get("system", ""))
    return f"{kind} {authority}".strip()


def _status(patient: Resource) -> str:
    """The status, with the attributes and other codes beside it."""
    status, codes = "", []
    for part in patient["extension"][0]["extension"]:
        if part["url"] == "identityStatus":
            status = part["valueCoding"]["code"]
        elif part["url"] == "comment":
            concept = part["valueCodeableConcept"]
            codes.append(concept["coding"][0]["code"] if "coding" in concept else concept["text"])
    return " ".join([status, *codes])


def _birth_place(patient: Resource) -> str:
    for extension in patient["extension"]:
        address = extension.get("valueAddress")
        if address is not None:
            codes = [part["valueCoding"]["code"] for part in address.get("extension", [])]
            return " ".join([*codes, address.get("city", ""), address.get("country", "")]).strip()
    return ""
