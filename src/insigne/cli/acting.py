"""The person on whose behalf a command acts: `--as USER`. Their secret is in the environment, never an argument."""

import os
import sys
from datetime import UTC, datetime

import typer

from insigne.access import AccessDenied, Right
from insigne.access.users import User, authorise_user, log_in
from insigne.cli.common import Context, Exit, fail
from insigne.cli.opening import author
from insigne.store import Store
from insigne.store.accounts import StoredUsers

SECRET_VARIABLE = "INSIGNE_SECRET"  # noqa: S105  # the name of a variable


def acting(context: Context, store: Store, name: str, right: Right) -> User:
    """The user `name`, who showed their secret and has the right; otherwise the command ends (exit 2).

    What that user does is written under `User.author`. Whether the name or the secret is wrong is not told.
    """
    if not name:
        fail(Exit.USAGE, "--as: this is an act of a person: add --as USER (users are made by `insigne user add`)")
    try:
        users, settings = StoredUsers(store, author()), context.config.access
        user = log_in(name, _secret(context, name), users, users, settings, datetime.now(UTC))
        authorise_user(user, right)
    except AccessDenied as denied:
        fail(Exit.USAGE, f"--as: {denied}")
    return user


def _secret(context: Context, name: str) -> str:
    given = os.environ.get(SECRET_VARIABLE, "")
    if given:
        return given
    if context.json or not sys.stdin.isatty():
        fail(Exit.USAGE, f"--as: set the environment variable {SECRET_VARIABLE} to the secret of that user")
    return str(typer.prompt(f"Secret of {name}", hide_input=True, err=True))
