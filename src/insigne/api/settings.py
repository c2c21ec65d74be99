"""Settings of the HTTP interface."""

from typing import Annotated

from msgspec import Meta, Struct

from insigne.net.settings import Port, Seconds, TlsSettings


class HttpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the API, FHIR and the cockpit are served."""

    host: str = "127.0.0.1"
    port: Port = 8380
    public_url: str = ""
    """Address by which users reach us, when a proxy stands between (`https://insigne.example`); used in FHIR links."""
    max_connections: Annotated[int, Meta(ge=1)] = 200
    """Connections open at the same time; beyond, requests are answered 503."""
    request_seconds: Seconds = 10
    """Time to send the head of a request, counted from the connection or from the end of the answer before."""
    drain_seconds: Seconds = 10
    """At a stop, time given to the requests in hand."""
    tls: TlsSettings | None = None
