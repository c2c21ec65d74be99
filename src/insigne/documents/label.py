"""A Data Matrix alone on a page of its size, as vectors."""

import io

import pikepdf

from insigne.documents.font import REGULAR, face
from insigne.documents.layout import lay_out_symbol
from insigne.documents.symbol import CAPTION


def symbol_pdf(payload: str, module_mm: float) -> bytes:
    """Draw a symbol with its caption in a PDF of one page, to be placed on labels and in documents."""
    label = lay_out_symbol(payload, module_mm)
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(round(label.width, 2), round(label.height, 2)))
        font = face(REGULAR).embed(pdf, sorted(set(CAPTION)))
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(R=font))
        page.obj.Contents = pikepdf.Stream(pdf, label.operators)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()
