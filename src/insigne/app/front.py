"""The process that serves MLLP connections: `python -m insigne.app.front`, its link as standard input."""

import asyncio
import socket

import uvloop

from insigne.app.clock import rfc3339_now
from insigne.app.logs import configure
from insigne.transport.front.child import outlive_nobody, run


def main() -> None:
    """Serve until told to stop."""
    outlive_nobody()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(socket.socket(fileno=0), clock=rfc3339_now, configure=configure))


if __name__ == "__main__":
    main()
