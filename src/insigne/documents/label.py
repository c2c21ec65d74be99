"""A Data Matrix alone on a page of its size, as vectors."""

import itertools
from typing import Final

from insigne.documents.font import REGULAR, face
from insigne.documents.layout import lay_out_symbol
from insigne.documents.objects import Objects

_HEADER: Final = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
"""Bytes over 127 say that the file is no text (ISO 32000-1, 7.5.2)."""


def symbol_pdf(payload: str, module_mm: float) -> bytes:
    """Draw a symbol with its caption in a PDF of one page, to be placed on labels and in documents."""
    label = lay_out_symbol(payload, module_mm)
    objects = Objects(itertools.count(1).__next__)
    font = face(REGULAR).embed(objects)
    drawn = objects.stream(b"", label.operators)
    page, pages = objects.reserve(), objects.reserve()
    box = b"%.2f %.2f" % (label.width, label.height)
    objects.put(
        page,
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %s]/Resources<</Font<</R %d 0 R>>>>/Contents %d 0 R>>"
        % (pages, box, font, drawn),
    )
    objects.put(pages, b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % page)
    catalog = objects.add(b"<</Type/Catalog/Pages %d 0 R>>" % pages)
    return _HEADER + objects.written(len(_HEADER), b"/Root %d 0 R" % catalog)
