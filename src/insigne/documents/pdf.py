"""Opening a PDF that comes from anywhere, and refusing plainly the ones that cannot be changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pikepdf

from insigne.documents.errors import DocumentError

Source = BinaryIO | Path
"""A PDF to read: a file, or a stream that can be searched."""

_TREE_DEPTH: Final = 32
_MOST_FIELDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a PDF may be."""

    max_bytes: int = 20_000_000
    max_pages: int = 2000


@contextmanager
def readable(source: Source) -> Iterator[BinaryIO]:
    """The file of a source, closed in the end if it was opened here."""
    if not isinstance(source, Path):
        yield source
        return
    with source.open("rb") as file:
        yield file


@contextmanager
def opened(source: Source, limits: Limits, *, repair: bool = False) -> Iterator[pikepdf.Pdf]:
    """Open a PDF to change it; it is read as needed, never copied whole: a file faster than a stream.

    What pages inherit is not copied into them, which would change them all (`resources_of`).

    Raises DocumentError for one that is too large, encrypted (a password, or restrictions), damaged (unless `repair`),
    without a page, or an XFA form (its pages are drawn by the reader). What fails later inside is told as damage too.
    """
    _check_size(source, limits)
    try:
        with pikepdf.open(
            source, attempt_recovery=repair, suppress_warnings=True, inherit_page_attributes=False
        ) as pdf:
            _check(pdf, limits)
            yield pdf
    except pikepdf.PasswordError as error:
        raise _ENCRYPTED from error
    except pikepdf.PdfError as error:
        raise (_BROKEN if repair else _DAMAGED) from error
    except (RecursionError, pikepdf.ForeignObjectError) as error:
        raise _BROKEN from error


def resources_of(page: pikepdf.Page) -> pikepdf.Object:
    """The resources of a page, its own or those of the nearest node above it that has some (ISO 32000-1, 7.7.3.4)."""
    node: object = page.obj
    for _ in range(_TREE_DEPTH):
        if not isinstance(node, pikepdf.Dictionary):
            break
        found = node.get("/Resources")
        if isinstance(found, pikepdf.Dictionary):
            return found
        node = node.get("/Parent")
    return pikepdf.Dictionary()


def signatures(pdf: pikepdf.Pdf) -> int:
    """Count the signatures that changing the document would break."""
    return sum(1 for field in _fields(pdf) if _signed(field)) + ("/Perms" in pdf.Root)


def drop_signatures(pdf: pikepdf.Pdf) -> None:
    """Empty the signature fields: a broken signature would be shown as tampering."""
    for field in _fields(pdf):
        if _signed(field):
            del field["/V"]
    if "/Perms" in pdf.Root:
        del pdf.Root["/Perms"]
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and "/SigFlags" in form:
        del form["/SigFlags"]


def _check_size(source: Source, limits: Limits) -> None:
    if isinstance(source, Path):
        size = source.stat().st_size
    else:
        size = source.seek(0, 2)
        source.seek(0)
    if size > limits.max_bytes:
        raise DocumentError(
            "size",
            f"the document has {size} bytes, more than documents.max_bytes ({limits.max_bytes})",
            f"le document dépasse la taille permise ({limits.max_bytes} octets)",
        )


def _check(pdf: pikepdf.Pdf, limits: Limits) -> None:
    if pdf.is_encrypted:
        raise _ENCRYPTED
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and "/XFA" in form:
        raise DocumentError(
            "xfa",
            "the document is an XFA form, whose pages are drawn by the reader: print it to PDF first",
            "le document est un formulaire XFA, dessiné par le lecteur : imprimez-le en PDF d’abord",
        )
    pages = len(pdf.pages)
    if not pages:
        raise DocumentError("no-page", "the document has no page", "le document n’a aucune page")
    if pages > limits.max_pages:
        raise DocumentError(
            "pages",
            f"the document has {pages} pages, more than documents.max_pages ({limits.max_pages})",
            f"le document a plus de {limits.max_pages} pages",
        )


def _fields(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """The fields of the form, kids included; a form of absurd depth or size is read as far as it is sensible."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    waiting = [(field, 0) for field in _items(form.get("/Fields"))]
    seen = 0
    while waiting and seen < _MOST_FIELDS:
        field, depth = waiting.pop()
        seen += 1
        yield field
        if depth < _TREE_DEPTH:
            waiting += [(kid, depth + 1) for kid in _items(field.get("/Kids"))]


def _items(array: object) -> list[pikepdf.Dictionary]:
    if not isinstance(array, pikepdf.Array):
        return []
    return [item for item in array if isinstance(item, pikepdf.Dictionary)]


def _signed(field: pikepdf.Dictionary) -> bool:
    value = field.get("/V")
    return isinstance(value, pikepdf.Dictionary) and "/ByteRange" in value


_ENCRYPTED: Final = DocumentError(
    "encrypted",
    "the document is encrypted or restricted: ask its producer for one without protection",
    "le document est chiffré ou protégé : demandez-le sans protection",
)
_DAMAGED: Final = DocumentError(
    "damaged",
    "this is not a PDF, or a damaged one: produce it again, or ask for a repair and look at the result",
    "ce n’est pas un PDF, ou il est endommagé : produisez-le à nouveau, ou demandez sa réparation et vérifiez-la",
)
_BROKEN: Final = DocumentError(
    "damaged",
    "this is not a PDF, or one too damaged to be repaired: produce it again",
    "ce n’est pas un PDF, ou il est trop endommagé pour être réparé : produisez-le à nouveau",
)
