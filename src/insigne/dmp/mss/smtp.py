"""Submission to the site's MSSanté operator (RFC 6409), with delivery receipts asked for (RFC 3461).

Recipients are asked one by one before anything is sent, so that what one of them answers is known apart.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from insigne.dmp.mss.connection import FaultKind, MailFault, context_of, fault_of, password_of, port_of
from insigne.dmp.settings_mss import ServerSettings

_ACCEPTED: Final = range(200, 300)
_TEMPORARY: Final = range(400, 500)
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """A box that a server refused: its code (`550 5.1.1`), its sentence; `temporary` when it may be tried again."""

    address: str
    code: str
    text: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class Submitted:
    """A mail that the server took. `refused` are the boxes it goes without; `receipts`: it will report delivery."""

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...]
    receipts: bool


class SmtpSender:
    """Submits mails, one connection for each. Threads may share it."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    def send(
        self,
        mail: bytes,
        sender: str,
        recipients: Sequence[str],
        *,
        envelope: str,
        success: bool = False,
        partial: bool = False,
    ) -> Submitted:
        """Submit a mail. `envelope` is the ENVID that receipts come back with; `success`: of delivery too, not only of
        failure. A box put off stops the whole mail, unless `partial`.

        Raises MailFault: `refused` when it is for good (no box left, too large), another kind when it may be tried
        again. Nothing was sent then, as far as we were told.
        """
        connection = self._connect()
        try:
            return _submit(connection, mail, sender, recipients, envelope, success=success, partial=partial)
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPException as error:
            raise MailFault("unreachable", f"{self._settings.host} closed the connection") from error
        except OSError as error:
            raise fault_of(error, self._settings.host) from error
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
    connection: smtplib.SMTP,
    mail: bytes,
    sender: str,
    recipients: Sequence[str],
    envelope: str,
    *,
    success: bool,
    partial: bool,
) -> Submitted:
    receipts = connection.has_extn("dsn")
    options = ["RET=HDRS", f"ENVID={envelope}"] if receipts else []
    if connection.has_extn("size"):
        options.append(f"SIZE={len(mail)}")
    _expect(connection.mail(sender, options))
    accepted, refused = [], []
    for recipient in recipients:
        wanted = [f"NOTIFY={'SUCCESS,' if success else ''}FAILURE,DELAY", f"ORCPT=rfc822;{recipient}"]
        code, answer = connection.rcpt(recipient, wanted if receipts else [])
        if code in _ACCEPTED:
            accepted.append(recipient)
        else:
            refused.append(Refusal(recipient, _code(code, answer), _sentence(answer), code in _TEMPORARY))
    late = [one for one in refused if one.temporary]
    if late and not (partial and accepted):
        raise MailFault("busy", f"{len(late)} of {len(recipients)} boxes are put off: {late[0].text}", late[0].code)
    if not accepted:
        raise MailFault("refused", f"no box takes it: {refused[0].text}", refused[0].code)
    _expect(connection.data(mail))
    return Submitted(tuple(accepted), tuple(refused), receipts)


def _expect(reply: tuple[int, bytes]) -> None:
    if reply[0] not in _ACCEPTED:
        raise smtplib.SMTPResponseException(*reply)


def _judged(code: int, answer: bytes | str) -> MailFault:
    """What a server says to the whole mail: for good (5xx), or for now."""
    kind: FaultKind = "busy" if code in _TEMPORARY or code < 0 else "refused"
    return MailFault(kind, _sentence(answer), _code(code, answer))


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
            return MailFault("unreachable", f"{host} closed the connection")
        case _:
            return fault_of(error, host)


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
