"""Settings of documents."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

SMALLEST_MODULE_MM = 0.25
"""Side of a module, in millimetres, under which an office scanner (300 dpi) no longer reads the symbol surely."""


class DocumentSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is put on documents, and how large they may be."""

    module_mm: Annotated[float, Meta(ge=SMALLEST_MODULE_MM, le=2.0)] = 0.4
    """Side of a module of the Data Matrix, in millimetres (no public source gives a smallest printed size)."""
    pages: Literal["first", "all"] = "first"
    """Pages that bear the banner; the first one must (EXI DIF 02)."""
    position: Literal["top", "bottom"] = "top"
    """Side of the page, as it is seen, where the banner goes."""
    max_bytes: Annotated[int, Meta(ge=1)] = 20_000_000
    """Largest document stamped, read or put in a CDA, in bytes."""
    max_pages: Annotated[int, Meta(ge=1)] = 2000
    """Most pages of a document."""
    scan_pages: Annotated[int, Meta(ge=1)] = 3
    """Pages of a document searched for a Data Matrix."""
    type_codes: tuple[Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,40}$")], ...] = ()
    """Types of document that the DMP takes (JDV_J66, not public as a file): another one is an error. None: no list."""
