"""`insigne serve`: run the configured roles."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from insigne.app.logs import configure
from insigne.app.server import serve as run_service
from insigne.cli.common import Context, Exit, command_app, examples, fail
from insigne.config import ConfigError
from insigne.exchange.errors import StoreError, StoreLost
from insigne.net.secrets import SecretError
from insigne.net.tls import TlsError
from insigne.store.lock import LockHeld

app = command_app()


@app.command(
    epilog=examples(
        "insigne serve",
        "insigne serve --config insigne.toml --data /var/lib/insigne",
        "insigne serve --set mllp.port=0 --set http.port=0 --ready-file ready.json",
    )
)
def serve(
    ctx: typer.Context,
    *,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, once everything listens: process id and addresses.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the configured roles: MLLP, folders, HTTP.

    Without configuration: roles ri and consumer, on loopback, MLLP port 2575 and HTTP port 8380. SIGTERM drains and
    exits 0.
    """
    context = Context.of(ctx)
    try:
        configure(log_level)
    except KeyError:
        fail(Exit.USAGE, f"--log-level: {log_level!r} is not one of debug, info, warning, error")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_service(context.loaded, ready_file))
    except LockHeld as held:
        fail(Exit.USAGE, str(held))
    except StoreLost as lost:
        fail(Exit.UNREACHABLE, str(lost))
    except (StoreError, TlsError, SecretError, ConfigError) as error:
        fail(Exit.USAGE, str(error))
    except OSError as error:
        fail(*_trouble(error))


def _trouble(error: OSError) -> tuple[Exit, str]:
    """What the system refused at the start: a file or folder, or an address."""
    if error.filename is not None:
        return Exit.USAGE, f"{error.filename}: {error.strerror}; --data must be a folder that this user may write"
    remedy = "choose others with mllp.host, mllp.port, http.host and http.port (port 0 takes any free one)"
    return Exit.UNREACHABLE, f"cannot listen: {error.strerror or error}; {remedy}"
