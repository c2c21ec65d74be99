"""`insigne token`: access to the HTTP interface."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from insigne.access import AccessDenied, Scope, Token, issue, token_id
from insigne.access.tokens import RANDOM_BYTES
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note, rfc3339
from insigne.cli.ending import parse_end
from insigne.cli.opening import author, writing
from insigne.cli.tables import print_table
from insigne.store.tokens import StoredTokens

app = group_app(
    "Access tokens of the HTTP interface.",
    examples(
        "insigne token create --scope fhir.read --name 'portail patient' --expires 365d",
        "insigne token list",
        "insigne token revoke 3f9a0c1b2d4e5f60",
    ),
)


@app.command(
    epilog=examples(
        "insigne token create --scope fhir.read --name 'portail patient' --expires 365d",
        "insigne token create --scope api.read --scope fhir.read --json",
    )
)
def create(
    ctx: typer.Context,
    *,
    scope: Annotated[list[str], typer.Option(metavar="SCOPE", help=f"What it may do, repeatable: {', '.join(Scope)}.")],
    name: Annotated[str, typer.Option(help="What it is for, to recognise it in the list.")] = "",
    expires: Annotated[str, typer.Option(metavar="D", help="90d, a date or a moment; default never.")] = "",
) -> None:
    """Create a token and print its secret, once: it cannot be shown again."""
    context = Context.of(ctx)
    now = datetime.now(UTC)
    end = parse_end(expires, now) if expires else None
    text, token = issue(name, _scopes(scope), random_bytes=os.urandom(RANDOM_BYTES), now=now, expires=end)
    with writing(context) as store:
        StoredTokens(store, author()).add(token)
    if context.json:
        document = _document(token, now)
        emit({"token": text, **{key: document[key] for key in ("id", "name", "scopes", "created", "expires")}})
        return
    typer.echo(text)
    note("This is the only time it is shown. Use it as: Authorization: Bearer …")


@app.command("list", epilog=examples("insigne token list", "insigne token list --json"))
def list_(ctx: typer.Context) -> None:
    """List tokens, oldest first, without their secrets."""
    context = Context.of(ctx)
    now = datetime.now(UTC)
    with writing(context) as store:
        documents = [_document(token, now) for token in StoredTokens(store, author()).list()]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    titles = ("id", "name", "scopes", "created", "expires", "state")
    rows = [[_text(document[title]) for title in titles] for document in documents]
    print_table(titles, rows, none="no token; make one with `insigne token create --scope fhir.read`")


@app.command(epilog=examples("insigne token revoke 3f9a0c1b2d4e5f60"))
def revoke(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id in the list, or the token itself.")],
) -> None:
    """Revoke a token; it is refused from the next request on."""
    context = Context.of(ctx)
    try:
        identifier = token_id(token)
    except AccessDenied:
        identifier = token
    now = datetime.now(UTC)
    with writing(context) as store:
        tokens = StoredTokens(store, author())
        known = tokens.revoke(identifier, now)
        revoked = tokens.get(identifier)
    if not known or revoked is None:
        fail(Exit.PROBLEMS, "no token has this id; `insigne token list` shows the ids")
    if context.json:
        emit(_document(revoked, now))
    else:
        typer.echo(f"{identifier} revoked")


def _scopes(names: list[str]) -> frozenset[Scope]:
    unknown = [name for name in names if name not in set(Scope)]
    if unknown:
        fail(Exit.USAGE, f"--scope: {unknown[0]!r} is not a scope; use {', '.join(Scope)}")
    return frozenset(map(Scope, names))


def _document(token: Token, now: datetime) -> dict[str, Any]:
    if token.revoked is not None:
        state = "revoked"
    else:
        state = "expired" if token.expires is not None and token.expires <= now else "valid"
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created": rfc3339(token.created),
        "expires": None if token.expires is None else rfc3339(token.expires),
        "revoked": None if token.revoked is None else rfc3339(token.revoked),
        "state": state,
    }


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
