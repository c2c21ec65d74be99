"""Stamping an existing PDF with the INS banner, on a strip added to its pages so that nothing is covered."""

import copy
import math
import tempfile
import zlib
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final, Literal

import pikepdf

from insigne.documents.banner import Banner
from insigne.documents.errors import DocumentError
from insigne.documents.font import BOLD, REGULAR, face
from insigne.documents.layout import Strip, lay_out
from insigne.documents.pdf import Limits, Source, drop_signatures, opened, readable, resources_of, signatures
from insigne.documents.revision import Revision, continuable
from insigne.documents.settings import DocumentSettings

A4_WIDTH: Final = 595.0
A4_LENGTH: Final = 842.0
"""Points. On a larger page the banner grows with it: it stays readable once printed on A4."""
_PAGE: Final = "/InsignePage"
_BANNER: Final = "/InsigneBanner"
"""Name of the banner among the forms of a page: a page never gets two."""
_LEAST_VERSION: Final = "1.4"
"""PDF version that all the banner uses; what a document tells of its version (XMP) is touched only if it was less."""
_BOX_ITEMS: Final = 4
_SMALLEST: Final = 1.0
"""Points under which a side of a page is no page."""


@dataclass(frozen=True, slots=True)
class StampOptions:
    """How to stamp. `cover` draws over the page instead of adding a strip; the rest is of `DocumentSettings`."""

    module_mm: float = 0.4
    pages: Literal["first", "all"] = "first"
    position: Literal["top", "bottom"] = "top"
    cover: bool = False
    drop_signatures: bool = False
    repair: bool = False
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, settings: DocumentSettings) -> "StampOptions":
        """The options that the settings say."""
        limits = Limits(settings.max_bytes, settings.max_pages)
        return cls(module_mm=settings.module_mm, pages=settings.pages, position=settings.position, limits=limits)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What was done: pages of the document, pages that bear the banner, signatures that were given up."""

    pages: int
    stamped: int
    signatures_dropped: int


def stamp(source: Source, target: BinaryIO, banner: Banner, options: StampOptions) -> Stamped:
    """Copy a PDF from `source` to `target` with the banner on its first page, or on all.

    The file is kept byte for byte, the banner and the changed pages follow (`revision`). One that is repaired, whose
    signatures are given up, or of an older version than the banner needs, is written anew first: its text, forms,
    attachments and metadata stay. Raises DocumentError for a PDF that cannot be changed (see `pdf.opened`), one that is
    signed (unless signatures are given up), one that has a banner already, and a page too narrow. Nothing is written
    then.
    """
    with readable(source) as file, opened(source, options.limits, repair=options.repair) as pdf:
        lost = signatures(pdf)
        if lost and not options.drop_signatures:
            raise _SIGNED
        if not lost and pdf.pdf_version >= _LEAST_VERSION and continuable(pdf, file):
            return _print(pdf, file, target, banner, options)
        drop_signatures(pdf)
        with tempfile.TemporaryFile() as anew:
            _write_anew(pdf, anew)
            with pikepdf.open(anew, suppress_warnings=True, inherit_page_attributes=False) as whole:
                return replace(_print(whole, anew, target, banner, options), signatures_dropped=lost)


def _print(pdf: pikepdf.Pdf, file: BinaryIO, target: BinaryIO, banner: Banner, options: StampOptions) -> Stamped:
    """Write the file of an open PDF, then the banner and the pages that bear it."""
    chosen = pdf.pages if options.pages == "all" else [pdf.pages[0]]
    revision = Revision(pdf, file)
    press = _Press(revision, banner, options)
    for page in chosen:
        press.print_on(page)
    revision.write(target)
    return Stamped(len(pdf.pages), len(chosen), 0)


def _write_anew(pdf: pikepdf.Pdf, target: BinaryIO) -> None:
    pdf.save(
        target,
        min_version=_LEAST_VERSION,
        fix_metadata_version=pdf.pdf_version < _LEAST_VERSION,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        deterministic_id=True,
    )


_Box = tuple[float, float, float, float]
_Matrix = tuple[float, float, float, float, float, float]
_TURNS: Final = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}
"""Rotation of a page → the direction, in its own units, of what is seen as left to right."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The visible part of a page: its box, its rotation, the size of a unit in points.

    `media` is the whole of it, which holds what is cut off (bleed, crop marks).
    """

    box: _Box
    media: _Box
    rotation: int
    unit: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as seen, in page units."""
        x0, y0, x1, y1 = self.box
        return (y1 - y0, x1 - x0) if self.rotation in (90, 270) else (x1 - x0, y1 - y0)

    def place(self, x: float, y: float) -> _Matrix:
        """The matrix from a point of the page as seen, x and y from its bottom left, to the page's own units."""
        a, b = _TURNS[self.rotation]
        x0, y0, x1, y1 = self.box
        left = x1 if self.rotation in (90, 180) else x0
        low = y1 if self.rotation in (180, 270) else y0
        return a, b, -b, a, left + a * x - b * y, low + b * x + a * y

    def rectangle(self, low: float, high: float) -> _Box:
        """A band of the page as seen, across its whole width, between two heights, in the page's own units."""
        _, _, _, _, x0, y0 = self.place(0.0, low)
        _, _, _, _, x1, y1 = self.place(self.size[0], high)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


class _Press:
    """Prints one banner on pages of one PDF: strips of the same width are made once."""

    def __init__(self, revision: Revision, banner: Banner, options: StampOptions) -> None:
        self._revision = revision
        self._banner = banner
        self._options = options
        self._fonts = tuple(face(path).embed(revision.objects) for path in (REGULAR, BOLD))
        self._forms: dict[float, tuple[Strip, pikepdf.Object]] = {}

    def print_on(self, page: pikepdf.Page) -> None:
        """Add the banner to a page."""
        sheet = _sheet(page)
        width, height = sheet.size
        scale = max(1.0, min(max(width, height) / A4_LENGTH, width / A4_WIDTH) * sheet.unit)
        strip, form = self._form(round(width * sheet.unit / scale, 1))
        factor = width / strip.width
        thickness = strip.height * factor
        low = height if self._options.position == "top" else -thickness
        if self._options.cover:
            low += -thickness if self._options.position == "top" else thickness
            if thickness > height:
                raise _NO_ROOM
            self._isolate(page)
        _add_form(page, form)
        a, b, c, d, e, f = sheet.place(0.0, low)
        turn = " ".join(f"{number * factor:.5f}" for number in (a, b, c, d))
        draw = f"/Artifact BMC q {turn} {e:.3f} {f:.3f} cm {_BANNER} Do Q EMC\n"
        if self._options.cover:
            page.obj.Contents = self._content(f"{_PAGE} Do\n{draw}")
        else:
            self._draw_beside(page, sheet, draw, sheet.rectangle(low, low + thickness))
        self._revision.replace(page.obj)

    def _form(self, width: float) -> tuple[Strip, pikepdf.Object]:
        if width not in self._forms:
            strip = lay_out(self._banner, width, self._options.module_mm)
            entries = b"/Filter/FlateDecode/Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]" % (strip.width, strip.height)
            fonts = b"/Resources<</Font<</R %d 0 R/B %d 0 R>>>>" % self._fonts
            number = self._revision.objects.stream(entries + fonts, zlib.compress(strip.operators, 1))
            self._forms[width] = strip, self._revision.refer(number)
        return self._forms[width]

    def _draw_beside(self, page: pikepdf.Page, sheet: _Sheet, draw: str, strip: _Box) -> None:
        """Draw the banner before the page, then the page clipped to what was seen of it: bleed stays hidden.

        First, so that nothing the page leaves undone (a state not restored) turns or colours the banner.
        """
        x0, y0, x1, y1 = sheet.box
        before = self._content(f"{draw}q {x0:.3f} {y0:.3f} {x1 - x0:.3f} {y1 - y0:.3f} re W n\n")
        page.obj.Contents = pikepdf.Array([before, *_contents(page), self._content("\nQ\n")])
        page.obj.MediaBox = _array(_union(sheet.media, strip))
        page.obj.CropBox = _array(_union(sheet.box, strip))

    def _isolate(self, page: pikepdf.Page) -> None:
        """Make the page one form, so that nothing it leaves undone reaches what is drawn over it."""
        form = page.as_form_xobject(handle_transformations=False)
        entries = form.stream_dict.unparse().removeprefix(b"<<").removesuffix(b">>")
        number = self._revision.objects.stream(entries + b"/Filter/FlateDecode", zlib.compress(form.read_bytes(), 1))
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary({_PAGE: self._revision.refer(number)}))

    def _content(self, operators: str) -> pikepdf.Object:
        return self._revision.refer(self._revision.objects.stream(b"", operators.encode()))


def _sheet(page: pikepdf.Page) -> _Sheet:
    media = _box(page.mediabox)
    crop = _box(page.cropbox)
    if media is None:
        raise _NO_SIZE
    if crop is not None:
        crop = max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])
    box = crop if crop is not None and crop[0] < crop[2] and crop[1] < crop[3] else media
    unit = float(page.obj.get("/UserUnit", 1) or 1)
    sheet = _Sheet(box, media, page.rotation % 360 // 90 * 90, unit if unit > 0 else 1.0)
    if min(sheet.size) * sheet.unit < _SMALLEST:
        raise _NO_SIZE
    return sheet


def _box(array: pikepdf.Object) -> _Box | None:
    """Read a rectangle, its corners in any order; None for what is none."""
    try:
        numbers = [float(number) for number in array]
    except (TypeError, ValueError):
        return None
    if len(numbers) != _BOX_ITEMS or not all(math.isfinite(number) for number in numbers):
        return None
    x0, y0, x1, y1 = numbers
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _contents(page: pikepdf.Page) -> list[pikepdf.Object]:
    held = page.obj.get("/Contents")
    parts = held if isinstance(held, pikepdf.Array) else [held]
    return [part for part in parts if isinstance(part, pikepdf.Stream)]


def _add_form(page: pikepdf.Page, form: pikepdf.Object) -> None:
    """Name the banner in the resources of this page alone, which it may have shared with others.

    Copied without reading the names they hold: those of old files are of any encoding.
    """
    resources = copy.copy(resources_of(page))
    forms = resources.get("/XObject")
    forms = copy.copy(forms) if isinstance(forms, pikepdf.Dictionary) else pikepdf.Dictionary()
    if _BANNER in forms:
        raise _STAMPED
    forms[_BANNER] = form
    resources["/XObject"] = forms
    page.obj.Resources = resources


def _union(one: _Box, other: _Box) -> _Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _array(box: _Box) -> pikepdf.Array:
    return pikepdf.Array([round(edge, 3) for edge in box])


_SIGNED: Final = DocumentError(
    "signed",
    "the document is signed, and a banner would break the signature: stamp it before it is signed, or give it up",
    "le document est signé et un bandeau romprait la signature : apposez-le avant, ou renoncez à la signature",
)
_STAMPED: Final = DocumentError(
    "stamped",
    "the page has a banner already: stamp the original document",
    "la page porte déjà un bandeau : repartez du document d’origine",
)
_NO_ROOM: Final = DocumentError(
    "short-page",
    "the page is less high than the banner: let a strip be added instead of covering the page",
    "la page est moins haute que le bandeau : laissez ajouter une bande au lieu de couvrir la page",
)
_NO_SIZE: Final = DocumentError(
    "page-size",
    "a page has no usable size (MediaBox): produce the document again",
    "une page n’a pas de dimensions utilisables : produisez le document à nouveau",
)
