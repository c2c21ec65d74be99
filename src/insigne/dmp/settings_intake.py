"""Settings of the intake of documents."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.net.settings import Seconds

DocumentBytes = Annotated[int, Meta(ge=1, le=100_000_000)]


class DocumentFolderSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A watched folder of documents: each PDF or CDA with a description beside it. The other folders are under `path`.

    A description is named as its document with `.json` or `.toml` added or in place of the extension.
    """

    name: str
    """Shown as the source of its documents, `folder:NAME`."""
    path: str
    done: str = "archive"
    """Where a document and its description go once it is taken."""
    failed: str = "error"
    """Where they go when it is refused, with a `.reason.txt` beside them."""
    temporary_suffixes: tuple[str, ...] = (".tmp", ".part")
    poll_seconds: Seconds = 2.0
    empty_seconds: Seconds = 300
    """A document or description that stays empty for so long is not about to be written: they are refused."""
    max_bytes: DocumentBytes = 20_000_000
    """Largest document taken."""


class IntakeSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What documents are taken, and from whom."""

    max_bytes: DocumentBytes = 20_000_000
    """Largest document taken from a message, or by HTTP without `large_tokens`."""
    large_bytes: DocumentBytes = 100_000_000
    """Largest document taken by HTTP from the tokens of `large_tokens`; over MLLP, see `mllp.senders`."""
    large_tokens: tuple[str, ...] = ()
    """Names of the tokens that may post documents larger than `max_bytes`."""
    matrix: Literal["examples", "specification"] = "examples"
    """Where MSSanté may send: by the rows of the specification alone, or also by those of the ANS's own examples that
    contradict them."""
    masked_and_hidden: Literal["refuse", "accept"] = "refuse"
    """A document masked to professionals and hidden from the patient together: the DMP refuses it by default."""
    faults: Literal["refuse", "warn"] = "refuse"
    """A CDA whose header the DMP would refuse (906): refused at once, or taken with warnings for the DMP to judge, as
    those inside the ANS's own examples need. Faults of the INS and of the traits are refused either way."""
    flags: Literal["required", "optional"] = "optional"
    """Whether each of the eight first flags of MetaDMPMSS must be there; an absent one is N, but DESTDMP, which must be
    there either way."""
    other_authors: Literal["refuse", "accept"] = "refuse"
    """A replacement or deletion by another structure than that of the document: refused (901), or accepted."""
    folders: tuple[DocumentFolderSettings, ...] = ()
