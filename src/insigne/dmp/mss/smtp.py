"""Submission to the site's MSSanté operator (RFC 6409), with delivery receipts asked for (RFC 3461).

One mail has one recipient, so that what becomes of it is known for each.
"""

import re
import smtplib
import socket
import ssl
from typing import Final

from insigne.dmp.mss.connection import FaultKind, MailFault, context_of, fault_of, password_of, port_of
from insigne.dmp.settings_mss import ServerSettings

_ACCEPTED: Final = range(200, 300)
_TEMPORARY: Final = range(400, 500)
_NOT_US: Final = frozenset({530, 535, 550, 551, 553, 554})
"""Answers to MAIL that are about the sender, whatever is sent: somebody mends it, no document is refused for it."""
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST: Final = 200


class SmtpSender:
    """Submits mails, one connection for each. Threads may share it."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    def send(self, mail: bytes, sender: str, recipient: str, *, envelope: str, success: bool = False) -> bool:
        """Submit a mail; whether the server will report what becomes of it.

        `envelope` is the ENVID that receipts come back with; `success`: of delivery too, not only of failure and delay.
        Raises MailFault: `refused` when it is for good, another kind when it may be tried again. Nothing was sent then,
        as far as we were told; a connection cut at the very end leaves it unknown.
        """
        connection = self._connect()
        try:
            return _submit(connection, mail, sender, recipient, envelope, success=success)
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPException as error:
            raise _on_its_way(_cut(error, self._settings.host)) from error
        except OSError as error:
            raise _on_its_way(fault_of(error, self._settings.host)) from error
        finally:
            _leave(connection)

    def _connect(self) -> "_Connection":
        """Open a connection, encrypted and logged in as the settings say. Raises MailFault."""
        settings = self._settings
        connection = None
        try:
            context = context_of(settings)
            connection = _Connection(settings, context)
            connection.ehlo()
            if settings.encryption == "starttls":
                connection.starttls(context=context)
                connection.ehlo()
            if settings.user:
                connection.login(settings.user, password_of(settings))
        except (OSError, smtplib.SMTPException, MailFault) as error:
            if connection is not None:
                connection.close()
            raise _connecting(error, settings.host) from error
        return connection


class _Connection(smtplib.SMTP):
    """A connection whose TLS expects the name of the settings, which the address connected to need not be."""

    def __init__(self, settings: ServerSettings, context: ssl.SSLContext | None) -> None:
        self._name = settings.tls.server_name or settings.host
        self._context = context if settings.encryption == "tls" else None
        port = port_of(settings, "smtp")
        super().__init__(settings.host, port, local_hostname=socket.gethostname(), timeout=settings.timeout_seconds)
        self._host = self._name  # the name that `starttls` checks

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # as SMTP_SSL does
        return plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self._name)


def _submit(
    connection: smtplib.SMTP, mail: bytes, sender: str, recipient: str, envelope: str, *, success: bool
) -> bool:
    receipts = connection.has_extn("dsn")
    options = ["RET=HDRS", f"ENVID={envelope}"] if receipts else []
    if connection.has_extn("size"):
        options.append(f"SIZE={len(mail)}")
    reply = connection.mail(sender, options)
    if reply[0] in _NOT_US:
        raise MailFault("login", f"mail from us is not taken: {_sentence(reply[1])}", _code(*reply))
    _expect(reply)
    wanted = [f"NOTIFY={'SUCCESS,' if success else ''}FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(recipient)}"]
    _expect(connection.rcpt(recipient, wanted if receipts else []))
    _expect(connection.data(mail))
    return receipts


def _xtext(text: str) -> str:
    """A value of a parameter (RFC 3461, 4), in which + and = mean something."""
    return text.replace("+", "+2B").replace("=", "+3D")


def _expect(reply: tuple[int, bytes]) -> None:
    if reply[0] not in _ACCEPTED:
        raise smtplib.SMTPResponseException(*reply)


def _judged(code: int, answer: bytes | str) -> MailFault:
    """What a server says to the whole mail: for good (5xx), or for now; what is no answer leaves its fate open."""
    kind: FaultKind = "busy" if code in _TEMPORARY or code < 0 else "refused"
    return MailFault(kind, _sentence(answer), _code(code, answer), sent=code < 0)


def _on_its_way(fault: MailFault) -> MailFault:
    """A conversation that broke off once a mail was spoken of: its fate is not known."""
    return MailFault(fault.kind, fault.text, fault.code, sent=True)


def _connecting(error: Exception, host: str) -> MailFault:
    """What went wrong before any mail was spoken of: never for good, somebody mends it."""
    match error:
        case MailFault():
            return error
        case smtplib.SMTPAuthenticationError():
            return MailFault("login", f"{host} refuses the login", str(error.smtp_code))
        case smtplib.SMTPNotSupportedError():
            return MailFault("tls", f"{host} offers no STARTTLS, or no login: {error}")
        case smtplib.SMTPResponseException():
            return MailFault("busy", _sentence(error.smtp_error), str(error.smtp_code))
        case smtplib.SMTPException():
            return _cut(error, host)
        case _:
            return fault_of(error, host)


def _cut(error: smtplib.SMTPException, host: str) -> MailFault:
    """What ended a connection: smtplib says every error of a socket in one way, and keeps which it was."""
    if isinstance(error.__context__, TimeoutError):
        return fault_of(error.__context__, host)
    return MailFault("unreachable", f"{host} closed the connection")


def _code(code: int, answer: bytes | str) -> str:
    """Return `550 5.1.1`: the code, and the enhanced one of RFC 3463 when there is one."""
    enhanced = _ENHANCED.match(_sentence(answer))
    return f"{code} {enhanced[0]}" if enhanced else str(code)


def _sentence(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:_LONGEST]


def _leave(connection: smtplib.SMTP) -> None:
    """Say goodbye; the mail's fate is known already."""
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
