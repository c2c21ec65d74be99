"""Finding the INS Data Matrix of a document: PDF, or PNG and JPEG scans, skewed and noisy ones included."""

import io
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types
import zxingcpp
from PIL import Image, ImageFilter

from insigne.documents.errors import DocumentError
from insigne.ins.datamatrix import DatamatrixError, InsPayload, read_payload

SCAN_DPI: Final = 300
"""Pixels an inch at which pages of a PDF are drawn."""
MOST_PIXELS: Final = 40_000_000
"""Pixels of the largest image looked at (A3 at 400 dpi): a larger PDF page is drawn coarser, a larger scan refused."""
_ENLARGED: Final = 16_000_000
"""Pixels under which a page is also looked at twice as large."""
_PREFIX: Final = b"IS"
_FORMATS: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.DataMatrix])


@dataclass(frozen=True, slots=True)
class Found:
    """A Data Matrix found: the page it is on, from 1, and what it says."""

    page: int
    payload: InsPayload


def find_symbol(document: bytes, pages: int) -> Found:
    """Find the INS Data Matrix of a document, in its first pages.

    Raises DocumentError when the document cannot be read, when no INS Data Matrix is found, when one cannot be
    understood, and when two of a page say different things. Other Data Matrix symbols are passed over.
    """
    seen = 0
    for seen, image in enumerate(_images(document, pages), start=1):
        texts = _read(image)
        if len(texts) > 1:
            raise DocumentError(
                "several",
                f"page {seen} bears several INS Data Matrix that differ: keep those of one patient",
                f"la page {seen} porte plusieurs Data Matrix INS différents : ne gardez que ceux d’un patient",
            )
        for text in texts:
            return Found(seen, _understood(text, seen))
    raise DocumentError(
        "no-symbol",
        f"no INS Data Matrix was found on {seen} page(s): scan at {SCAN_DPI} dpi, flat, without cropping the symbol",
        f"aucun Data Matrix INS trouvé sur {seen} page(s) : numérisez à {SCAN_DPI} ppp, à plat, symbole entier",
    )


def _understood(text: bytes, page: int) -> InsPayload:
    try:
        return read_payload(text.decode("ascii", "replace"))
    except DatamatrixError as error:
        raise DocumentError(
            "payload",
            f"the INS Data Matrix of page {page} cannot be understood: {error}",
            f"le Data Matrix INS de la page {page} est incorrect : {error.message_fr}",
        ) from error


def _images(document: bytes, pages: int) -> Iterator[Image.Image]:
    if b"%PDF-" in document[:1024]:
        yield from _pages(document, pages)
    else:
        yield _scan(document)


def _pages(document: bytes, pages: int) -> Iterator[Image.Image]:
    try:
        with closing(pypdfium2.PdfDocument(document)) as pdf:
            for number in range(min(pages, len(pdf))):
                with closing(pdf[number]) as page:
                    width, height = page.get_size()
                    scale = min(SCAN_DPI / 72, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
                    bitmap = page.render(scale=scale, grayscale=True)
                    yield bitmap.to_pil()
    except pypdfium2.PdfiumError as error:
        raise DocumentError(
            "damaged",
            "this PDF is encrypted or damaged and cannot be drawn: ask for it again, without protection",
            "ce PDF est chiffré ou endommagé : demandez-le à nouveau, sans protection",
        ) from error


def _scan(document: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a stricter limit follows
            image = Image.open(io.BytesIO(document), formats=("PNG", "JPEG"))
        if image.width * image.height > MOST_PIXELS:
            raise _TOO_LARGE
        return image.convert("L")
    except Image.DecompressionBombError as error:
        raise _TOO_LARGE from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(
            "format",
            "this is neither a PDF nor a PNG or JPEG image that can be read",
            "ce n’est ni un PDF, ni une image PNG ou JPEG lisible",
        ) from error


def _read(image: Image.Image) -> list[bytes]:
    """The INS payloads on an image, each once: looked at as it is, then enlarged, then smoothed, until one is found."""
    for look in _looks(image):
        codes = zxingcpp.read_barcodes(look, formats=_FORMATS)
        texts = [bytes(code.bytes) for code in codes if bytes(code.bytes).startswith(_PREFIX)]
        if texts:
            return list(dict.fromkeys(texts))
    return []


def _looks(image: Image.Image) -> Iterator[Image.Image]:
    yield image
    smooth = image.filter(ImageFilter.GaussianBlur(0.8))
    if image.width * image.height <= _ENLARGED:
        double = (image.width * 2, image.height * 2)
        yield image.resize(double, Image.Resampling.BICUBIC)
        yield smooth.resize(double, Image.Resampling.BICUBIC)
    yield image.filter(ImageFilter.MedianFilter(3))


_TOO_LARGE: Final = DocumentError(
    "pixels",
    f"the image has more than {MOST_PIXELS // 1_000_000} million pixels: scan the page at {SCAN_DPI} dpi",
    f"l’image dépasse {MOST_PIXELS // 1_000_000} millions de pixels : numérisez la page à {SCAN_DPI} ppp",
)
