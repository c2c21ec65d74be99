"""Settings of the base: where it is, and how long it keeps personal data."""

from typing import Annotated

from msgspec import Meta, Struct

Days = Annotated[int, Meta(ge=0)]


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything is kept. An empty `url` is a SQLite file in the data folder."""

    url: str = ""


class RetentionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long personal data is kept; 0 keeps it. `insigne purge` erases what is older, when it is run."""

    messages_days: Days = 0
    """Bytes of messages and of their acknowledgements."""
    payloads_days: Days = 0
    """Personal content of journal entries; the present state of what they are about stays."""
    calls_days: Days = 0
    """Criteria and raw answers of calls to INSi; who called, when, why and the code stay."""
    documents_days: Days = 0
    """Contents and personal data of documents for the DMP and MSSanté, and of mails received, once all that was to be
    done of them ended."""
