"""`insigne user`: the people who act on identities."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from msgspec.structs import replace

from insigne.access import Right, Role
from insigne.access.rights import GRANTS
from insigne.access.users import SALT_BYTES, SECRET_BYTES, User, generate_secret, hash_secret, user_name
from insigne.cli.acting import SECRET_VARIABLE
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note, rfc3339
from insigne.cli.opening import author, existing, writing
from insigne.cli.tables import print_table
from insigne.store.accounts import StoredUsers

app = group_app(
    "The people who act on identities, and what each may do.",
    examples(
        "insigne user add claire.dupont --role qualifieur",
        "insigne user list",
        "insigne user set-roles claire.dupont --role identitovigilance",
        "insigne user roles",
    ),
)

_ID_BYTES: Final = 8

Name = Annotated[str, typer.Argument(metavar="NAME", help="Their name in the list.")]


@app.command(
    epilog=examples(
        "insigne user add claire.dupont --role qualifieur",
        "INSIGNE_SECRET=… insigne user add claire.dupont --role identitovigilance --json",
        "insigne user add claire.dupont --role accueil --prompt",
    )
)
def add(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters without accents, digits, . _ @ -")],
    role: Annotated[list[str], typer.Option(metavar="ROLE", help=f"What they do, repeatable: {', '.join(Role)}.")],
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for the secret instead of making one.")] = False,
) -> None:
    """Add a user and print their secret, once: it cannot be shown again.

    With --prompt the secret is asked for; else it is INSIGNE_SECRET when that is set, else one is made.
    """
    context = Context.of(ctx)
    roles = _roles(role)
    secret, whence = _new_secret(prompt=prompt)
    try:
        user = User(
            id=os.urandom(_ID_BYTES).hex(),
            name=user_name(name),
            roles=roles,
            secret_hash=hash_secret(secret, os.urandom(SALT_BYTES)),
            created=datetime.now(UTC),
        )
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    with writing(context) as store:
        if not StoredUsers(store, author()).add(user):
            fail(Exit.USAGE, f"{user.name}: this name is taken, and stays so even once disabled; choose another")
    if context.json:
        emit({"secret": None if prompt else secret, **_document(user)})
        return
    if prompt:
        typer.echo(f"{user.name} added")
        return
    typer.echo(secret)
    note(f"This is the only time the secret{whence} is shown. Use it as: INSIGNE_SECRET=… insigne … --as {user.name}")


@app.command("list", epilog=examples("insigne user list", "insigne user list --json"))
def list_(ctx: typer.Context) -> None:
    """List users, oldest first, with what they may do."""
    context = Context.of(ctx)
    with existing(context, read_only=True) as store:
        documents = [_document(user) for user in StoredUsers(store).list()]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    titles = ("name", "roles", "created", "state")
    rows = [[_text(document[title]) for title in titles] for document in documents]
    print_table(titles, rows, none="no user; make one with `insigne user add NAME --role accueil`")


@app.command(
    "set-secret",
    epilog=examples(
        "insigne user set-secret claire.dupont",
        "insigne user set-secret claire.dupont --prompt",
    ),
)
def set_secret(
    ctx: typer.Context,
    *,
    name: Name,
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for the secret instead of making one.")] = False,
) -> None:
    """Give a user another secret and print it, once; the one before opens nothing any more, and no wait is left.

    With --prompt the secret is asked for; else it is INSIGNE_SECRET when that is set, else one is made.
    """
    context = Context.of(ctx)
    secret, whence = _new_secret(prompt=prompt)
    try:
        kept = hash_secret(secret, os.urandom(SALT_BYTES))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    user = _changed(context, name, lambda user: replace(user, secret_hash=kept))
    if context.json:
        emit({"secret": None if prompt else secret, **_document(user)})
    elif prompt:
        typer.echo(f"{user.name}: secret set")
    else:
        typer.echo(secret)
        note(f"This is the only time the secret{whence} is shown.")


@app.command(
    "set-roles", epilog=examples("insigne user set-roles claire.dupont --role qualifieur --role identitovigilance")
)
def set_roles(
    ctx: typer.Context,
    *,
    name: Name,
    role: Annotated[list[str], typer.Option(metavar="ROLE", help=f"What they do, repeatable: {', '.join(Role)}.")],
) -> None:
    """Give a user exactly these roles, from their next act on."""
    context = Context.of(ctx)
    roles = _roles(role)
    user = _changed(context, name, lambda user: replace(user, roles=roles))
    if context.json:
        emit(_document(user))
    else:
        typer.echo(f"{user.name}: {', '.join(sorted(user.roles))}")


@app.command(epilog=examples("insigne user disable claire.dupont"))
def disable(ctx: typer.Context, name: Name) -> None:
    """Disable a user: they may do nothing from now on; what they did stays under their name."""
    context = Context.of(ctx)
    with existing(context) as store:
        users = StoredUsers(store, author())
        known = users.disable(name.lower(), datetime.now(UTC))
        user = users.get(name.lower())
    if not known or user is None:
        fail(Exit.PROBLEMS, f"{name}: no such user; `insigne user list` shows them")
    if context.json:
        emit(_document(user))
    else:
        typer.echo(f"{user.name} disabled")


@app.command(epilog=examples("insigne user roles", "insigne user roles --json"))
def roles(ctx: typer.Context) -> None:
    """Show what each role may do."""
    context = Context.of(ctx)
    if context.json:
        for role in Role:
            emit_line({"role": role, "rights": sorted(GRANTS[role])})
        return
    granted = [[right, *("x" if right in GRANTS[role] else "" for role in Role)] for right in Right]
    print_table(("right", *Role), granted, none="")


def _changed(context: Context, name: str, change: Callable[[User], User]) -> User:
    """The active user of that name, changed; the command ends when there is none (exit 1)."""
    with existing(context) as store:
        users = StoredUsers(store, author())
        user = users.get(name.lower())
        if user is None or user.disabled is not None:
            fail(Exit.PROBLEMS, f"{name}: no such user, or disabled; `insigne user list` shows them")
        changed = change(user)
        users.change(changed, datetime.now(UTC))
    return changed


def _new_secret(*, prompt: bool) -> tuple[str, str]:
    """A secret, and where it was taken from."""
    if prompt:
        return str(typer.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)), ""
    given = os.environ.get(SECRET_VARIABLE, "")
    if given:
        return given, f" (taken from {SECRET_VARIABLE})"
    return generate_secret(os.urandom(SECRET_BYTES)), ""


def _roles(names: list[str]) -> frozenset[Role]:
    unknown = [name for name in names if name not in set(Role)]
    if unknown:
        fail(Exit.USAGE, f"--role: {unknown[0]!r} is not a role; use {', '.join(Role)}")
    return frozenset(map(Role, names))


def _document(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "roles": sorted(user.roles),
        "rights": sorted(user.rights),
        "created": rfc3339(user.created),
        "disabled": None if user.disabled is None else rfc3339(user.disabled),
        "state": "active" if user.disabled is None else "disabled",
    }


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
