"""Changes told to an application by HTTP POST, each signed with a secret it shares with us.

    POST /path HTTP/1.1
    Content-Type: application/json
    Insigne-Delivery: 01a2…         the same when it is sent again: what makes a repetition known
    Insigne-Signature: t=1772349000,v1=HEX

`v1` is HMAC-SHA256 of `t`, a full stop and the body, in hexadecimal. The application checks it, and that `t` is recent.
It answers 2xx once it has kept the change. 408, 425, 429 and 5xx are tried again; another answer is a refusal.
"""

import asyncio
import hmac
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

import structlog

from insigne.exchange.delivery.ports import Acknowledged, DeliveryName, SendFailed, SendFailure
from insigne.net.http import HttpClient, HttpError, HttpFailure, HttpLimits, HttpResponse
from insigne.net.secrets import read_secret
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import RenewedContext
from insigne.transport.settings import WebhookDestination

_LEAST_SECRET = 32
_MOST_ANSWER = 65_536
_LATER = frozenset({408, 425, 429})
_FAILURES: dict[HttpFailure, SendFailure] = {
    "unreachable": "unreachable",
    "timeout": "timeout",
    "tls": "refused-tls",
    "cut": "closed",
    "malformed": "malformed-ack",
    "large": "malformed-ack",
}
_log = structlog.get_logger("insigne.transport.webhook")


class WebhookSender:
    """See `exchange.delivery.ports.Sender` and `Probing`. `clock` gives seconds since the epoch.

    Raises `net.tls.TlsError`, `net.secrets.SecretError`.
    """

    def __init__(self, settings: WebhookDestination, *, clock: Callable[[], float]) -> None:
        self._secret = read_secret(settings.secret_file, least=_LEAST_SECRET).encode()
        self._clock = clock
        secure = urlsplit(settings.url).scheme == "https"
        tls = settings.tls or ClientTlsSettings()
        self._client = HttpClient(
            settings.url,
            RenewedContext(tls) if secure else None,
            limits=HttpLimits(settings.connect_seconds, settings.answer_seconds, _MOST_ANSWER),
            server_name=tls.server_name,
        )
        if not secure:
            _log.warning("webhook.in-clear", url=settings.url, remedy="prefer https: changes hold patients")

    async def deliver(self, raw: bytes, name: DeliveryName) -> Acknowledged:
        """See `Sender.deliver`. The status is told as MSA-1: AA done, AR to be tried again, AE refused."""
        moment = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "Insigne-Delivery": name.control_id,
            "Insigne-Signature": f"t={moment},v1={signature(self._secret, moment, raw)}",
        }
        try:
            answer = await asyncio.to_thread(self._client.post, raw, headers, repeatable=True)
        except HttpError as error:
            raise SendFailed(_FAILURES[error.kind], str(error)) from error
        return self._understood(answer)

    async def probe(self) -> None:
        """See `Probing.probe`: the application is asked what it allows; any answer will do."""
        try:
            await asyncio.to_thread(self._client.request, "OPTIONS")
        except HttpError as error:
            raise SendFailed(_FAILURES[error.kind], str(error)) from error
        finally:
            self._client.close()

    async def close(self) -> None:
        """See `Sender.close`."""
        self._client.close()

    def _understood(self, answer: HttpResponse) -> Acknowledged:
        status = answer.status
        if status in (401, 403):
            raise SendFailed("refused-credentials", f"{self._client.url}: HTTP {status}; does it know our secret?")
        code = "AA" if 200 <= status < 300 else "AR" if status in _LATER or status >= 500 else "AE"
        return Acknowledged(code, f"HTTP {status}", (), f"HTTP {status}".encode())


def signature(secret: bytes, moment: str, body: bytes) -> str:
    """The `v1` of a body sent at that moment (seconds since the epoch)."""
    return hmac.new(secret, f"{moment}.".encode() + body, sha256).hexdigest()
