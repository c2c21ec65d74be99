"""Settings of connections, shared by every room that opens or accepts one."""

from typing import Annotated

from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=0, le=65535)]
"""TCP port; 0 means any free one."""

Seconds = Annotated[float, Meta(gt=0)]
"""A duration in seconds."""


class TlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS of something that listens. Paths of PEM files, or one PKCS#12 file (`.p12`, `.pfx`) as `cert_file`."""

    cert_file: str
    """Our certificate, followed by its intermediates; its key too when `key_file` is empty."""
    key_file: str = ""
    key_password_file: str = ""
    """File that holds the password of the key, or of the PKCS#12 file; a final end of line is ignored."""
    client_ca_file: str = ""
    """Authorities whose clients are let in. When it is given, a client without a certificate of theirs is refused."""
    crl_file: str = ""
    """Revocation list of that authority; read once, when the context is made."""


class ClientTlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS of something that connects. Same files as in `TlsSettings`."""

    ca_file: str = ""
    """Authorities whose servers are believed; empty means those of the operating system."""
    cert_file: str = ""
    """Our certificate, when the server asks for one."""
    key_file: str = ""
    key_password_file: str = ""
    crl_file: str = ""
    server_name: str = ""
    """Name expected in the server's certificate when it differs from the host we connect to."""
