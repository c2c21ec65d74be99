"""What SMTP and IMAP share: ports, TLS, login secrets, and what their failures are called."""

import ssl
from typing import Final, Literal

from insigne.dmp.settings_mss import ServerSettings
from insigne.net.secrets import SecretError, read_secret
from insigne.net.tls import TlsError, client_context

Protocol = Literal["smtp", "imap"]
FaultKind = Literal["unreachable", "timeout", "tls", "login", "refused", "busy", "malformed"]
"""`refused` is for good; every other one may go better later. `busy`: the server said so itself (4xx)."""

_PORTS: Final = {
    ("smtp", "tls"): 465,
    ("smtp", "starttls"): 587,
    ("smtp", "none"): 25,
    ("imap", "tls"): 993,
    ("imap", "starttls"): 143,
    ("imap", "none"): 143,
}


class MailFault(Exception):  # noqa: N818 - a failure of the road, like DmpFault
    """A conversation with a mail server that failed. `code` is the server's (`550 5.1.1`), or "".

    `sent`: a mail may have left all the same, for all we know.
    """

    def __init__(self, kind: FaultKind, text: str, code: str = "", *, sent: bool = False) -> None:
        super().__init__(": ".join(part for part in (kind, code, text) if part))
        self.kind, self.text, self.code, self.sent = kind, text, code, sent


def port_of(settings: ServerSettings, protocol: Protocol) -> int:
    """Return the port, the usual one unless it is given."""
    return settings.port or _PORTS[protocol, settings.encryption]


def context_of(settings: ServerSettings) -> ssl.SSLContext | None:
    """Make the TLS context; None in clear. Raises MailFault when its files cannot be used."""
    if settings.encryption == "none":
        return None
    try:
        return client_context(settings.tls)
    except TlsError as error:
        raise MailFault("tls", str(error)) from error


def password_of(settings: ServerSettings) -> str:
    """Return the password of the login. Raises MailFault when it cannot be read."""
    try:
        return read_secret(settings.password_file)
    except SecretError as error:
        raise MailFault("login", str(error)) from error


def fault_of(error: Exception, host: str) -> MailFault:
    """Say what an error of a socket was."""
    match error:
        case TimeoutError():
            return MailFault("timeout", f"{host} did not answer in time")
        case ssl.SSLError():
            return MailFault("tls", f"{host}: {error.reason or 'TLS failed'}; check ca_file, cert_file and server_name")
        case _:
            return MailFault("unreachable", f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}")
