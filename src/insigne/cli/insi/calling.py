"""What the commands that call INSi share: where to call, with which certificate, and how the answer is shown."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypedDict

import msgspec
import typer

from insigne.cli.common import Context, Exit, emit, fail, note
from insigne.cli.opening import PATIENCE, author
from insigne.config import store_url
from insigne.exchange.errors import StoreError
from insigne.exchange.ids import TimeOrderedIds
from insigne.insi.client import Caller, InsiClient, InsiUnusable, Traced
from insigne.insi.instance import installation_id
from insigne.insi.settings import InsiSettings
from insigne.insi.strategy import Attempt
from insigne.insi.traces import trace_of
from insigne.insi.wire import FOUND, InsiFault, InsiResult, InsiTraits, InsNumber, WireError
from insigne.net.tls import TlsError
from insigne.store import SchemaMissing, moments, open_store

Endpoint = Annotated[str, typer.Option(metavar="URL", help="Address of the téléservice, instead of insi.endpoint.")]
Authorities = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Authorities believed, instead of insi.tls.ca_file.")
]
Certificate = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Our certificate (PEM, or PKCS#12), instead of insi.tls.cert_file."),
]
Key = Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, when it is in a file of its own.")]
Idam = Annotated[str, typer.Option(metavar="NUMBER", help="CNDA authorisation number, instead of insi.idam.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why the call is made, for its trace.")]


class Target(TypedDict):
    """The options above, as the commands receive them."""

    endpoint: str
    ca: Path | None
    cert: Path | None
    key: Path | None
    idam: str


class _Past(TypedDict):
    matricule: str
    oid: str
    start: str | None
    end: str | None


@contextmanager
def calling(context: Context, target: Target) -> Iterator[InsiClient]:
    """A client, with what the service may refuse told on stderr; what cannot be used ends the command (exit 2)."""
    try:
        client = InsiClient(
            _settings(context.config.insi, target),
            instance=installation_id(context.loaded.data_dir),
            clock=lambda: datetime.now(UTC),
        )
    except (InsiUnusable, TlsError, ValueError) as error:
        fail(Exit.USAGE, str(error))
    except OSError as error:
        fail(Exit.USAGE, f"--data: {error.filename}: {error.strerror}; the number of this installation is kept there")
    for doubt in client.doubts():
        note(doubt)
    try:
        yield client
    except (InsiUnusable, WireError) as error:
        fail(Exit.USAGE, str(error))
    finally:
        client.close()


def caller(reason: str) -> Caller:
    """Whom the trace names: the user of the machine."""
    return Caller(author(), reason)


def keep(context: Context, calls: Sequence[Traced]) -> None:
    """Keep the traces of calls in the base of the data folder (EXI REC 07); said on stderr when there is none."""
    new_id = TimeOrderedIds(lambda: time.time_ns() // 1_000_000, os.urandom(4))
    try:
        with closing(open_store(store_url(context.loaded), wait=PATIENCE)) as store, store.begin() as transaction:
            for call in calls:
                trace = trace_of(call, moments.rfc3339(call.started), "INSI-MANU")
                transaction.put_call(msgspec.structs.replace(trace, id=new_id()))
            transaction.commit()
    except SchemaMissing:
        note("there is no base in the data folder: this call leaves no trace there")
    except StoreError as error:
        note(f"the trace of this call could not be kept: {error}")


def finish(
    context: Context, result: InsiResult, calls: Sequence[Traced], attempts: Sequence[Attempt], call: str = ""
) -> NoReturn:
    """Show what came, and leave with the status it calls for: 0 found, 1 nobody or several, 3 fault.

    `call` is the trace of an answer that waits for a person.
    """
    limit = context.config.insi.clock_skew_seconds
    skew = next((call.clock_skew for call in calls if call.clock_skew is not None and abs(call.clock_skew) > limit), 0)
    if skew:
        note(f"the service's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours: which is right?")
    if context.json:
        emit(_document(result, attempts) | ({"call": call} if call else {}))
    else:
        for line in _lines(result, attempts):
            context.say(line)
    if isinstance(result, InsiFault):
        raise typer.Exit(Exit.UNREACHABLE)
    raise typer.Exit(0 if result.code == FOUND else Exit.PROBLEMS)


def _settings(configured: InsiSettings, target: Target) -> InsiSettings:
    tls = configured.tls
    if target["ca"]:
        tls = msgspec.structs.replace(tls, ca_file=str(target["ca"]))
    if target["cert"]:  # another certificate: the key and password configured are not its own
        tls = msgspec.structs.replace(tls, cert_file=str(target["cert"]), key_file="", key_password_file="")
    if target["key"]:
        tls = msgspec.structs.replace(tls, key_file=str(target["key"]))
    return msgspec.structs.replace(
        configured, tls=tls, endpoint=target["endpoint"] or configured.endpoint, idam=target["idam"] or configured.idam
    )


def _document(result: InsiResult, attempts: Sequence[Attempt]) -> dict[str, object]:
    fault = result if isinstance(result, InsiFault) else None
    answer = None if isinstance(result, InsiFault) else result
    active = answer.active if answer else None
    return {
        "code": answer.code if answer else "fault",
        "ins": {"matricule": active.matricule, "oid": active.oid} if active else None,
        "history": [_past(number) for number in answer.history] if answer else [],
        "traits": _traits(answer.traits) if answer and answer.traits else None,
        "fault": {
            "subcode": fault.subcode,
            "code": fault.code,
            "text": fault.text,
            "detail": fault.detail,
            "kind": fault.kind,
            "http_status": fault.http_status or None,
        }
        if fault
        else None,
        "attempts": [{"given": one.given, "place": one.place or None, "code": one.code} for one in attempts],
    }


def _past(number: InsNumber) -> _Past:
    return {"matricule": number.matricule, "oid": number.oid, "start": number.start or None, "end": number.end or None}


def _traits(traits: InsiTraits) -> dict[str, object]:
    return {
        "birth_name": traits.birth_name,
        "given_names": (traits.given_names or traits.given_name).split(),
        "sex": traits.sex,
        "birth_date": traits.birth_date,
        "birth_place": traits.birth_place,
    }


def _lines(result: InsiResult, attempts: Sequence[Attempt]) -> Iterator[str]:
    for one in attempts:
        yield f"{one.code:5}  {one.given}{f', né(e) à {one.place}' if one.place else ''}"
    if isinstance(result, InsiFault):
        yield f"{result.code}  {result.text}"
        yield from filter(None, [result.detail])
        return
    yield f"{result.code}  {result.label}"
    if result.active:
        yield f"INS     {result.active.matricule}  ({result.active.oid})"
    for past in result.history:
        yield f"avant   {past.matricule}  ({past.oid})  {past.start or '…'} – {past.end or '…'}"
    if result.traits:
        found = result.traits
        given, place = found.given_names or found.given_name, found.birth_place or "lieu inconnu"
        yield f"traits  {found.birth_name}, {given}, {found.sex}, {found.birth_date}, {place}"
