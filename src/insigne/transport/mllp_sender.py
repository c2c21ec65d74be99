"""A destination over MLLP: the client, as a `Sender` of exchange."""

from typing import Final

from insigne.exchange.delivery.ports import Acknowledged, DeliveryName, SendFailed, SendFailure
from insigne.net.tls import RenewedContext
from insigne.transport.mllp_client import Failure, MllpClient, NoAnswer, Unreachable
from insigne.transport.settings import MllpDestination

_FAILURES: Final[dict[Failure, SendFailure]] = {
    "timeout": "timeout",
    "closed": "closed",
    "foreign": "foreign-ack",
    "unreadable": "malformed-ack",
}


class MllpSender:
    """One connection to a receiver; see `exchange.delivery.ports.Sender`. Make it with `mllp_sender`."""

    def __init__(self, client: MllpClient) -> None:
        self._client = client

    async def deliver(self, raw: bytes, name: DeliveryName) -> Acknowledged:
        """See `Sender.deliver`."""
        try:
            reply = await self._client.send(raw)
        except Unreachable as error:
            raise SendFailed("refused-tls" if error.refused_tls else "unreachable", str(error)) from error
        except NoAnswer as error:
            raise SendFailed(_FAILURES[error.failure], str(error), error.raw) from error
        return Acknowledged(reply.ack.code, reply.ack.text, tuple(reply.ack.errors), reply.raw)

    async def close(self) -> None:
        """See `Sender.close`."""
        await self._client.close()

    async def probe(self) -> None:
        """Connect, send nothing, and close. Raises SendFailed."""
        try:
            await self._client.probe()
        except Unreachable as error:
            raise SendFailed("refused-tls" if error.refused_tls else "unreachable", str(error)) from error


def mllp_sender(settings: MllpDestination) -> MllpSender:
    """The sender of a destination. Raises `net.tls.TlsError` for files that cannot be used."""
    return MllpSender(
        MllpClient(
            settings.host,
            settings.port,
            ssl_context=RenewedContext(settings.tls) if settings.tls is not None else None,
            server_name=settings.tls.server_name if settings.tls is not None else "",
            connect_timeout=settings.connect_seconds,
            answer_timeout=settings.answer_seconds,
            persistent=settings.persistent,
            max_frame=settings.max_answer_bytes,
        )
    )
