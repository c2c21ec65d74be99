"""The TLS context of a client: one, or what gives the one to use for the next connection."""

import ssl
from collections.abc import Callable
from typing import TypeAlias

Contexts: TypeAlias = ssl.SSLContext | Callable[[], ssl.SSLContext]
"""A context, or what is asked for it before each connection, such as a `tls.RenewedContext`."""


def context_now(given: Contexts | None) -> ssl.SSLContext | None:
    """The context to connect with now, None for clear text."""
    return given() if callable(given) else given
