"""People, PDF files to work on, and readers that are not ours: libdmtx on pixels made by PDFium."""

import io
from types import SimpleNamespace

import arbez_dmtx
import pikepdf
import pypdfium2
import pytest

from insigne.documents.banner import banner_of
from insigne.ins.cog import bundled_cog
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits

TEST_NIR = "1.2.250.1.213.1.4.10"
#: The patient of the ANS's own examples.
ANS_PATIENT = (
    "IS010000000000000000000000"  # header: IS, version 01, 22 reserved
    "S1279035121518989"  # matricule, of fixed length
    "S21.2.250.1.213.1.4.10"  # OID of test, 20 characters: no separator
    "S3DOMINIQUE MARIE-LOUISE\x1dS4PAT-TROIS\x1d"  # given names and birth name, each ended by GS
    "S5FS628-03-1979S751215"  # sex, birth date, birthplace
)
HOSPITAL = Authority("CHEX", "1.2.250.1.999.1", "ISO")


PATIENT_INS = Ins("279035121518989", TEST_NIR)


def person(*, ins=PATIENT_INS, checked=True, contested=False, **changes) -> Identity:
    """The ANS test patient, qualified unless told otherwise."""
    traits = {
        "birth_name": "PAT-TROIS",
        "first_given_name": "DOMINIQUE",
        "given_names": "DOMINIQUE MARIE-LOUISE",
        "birth_date": "19790328",
        "sex": "F",
        "birth_place": "51215",
    }
    details = changes.pop("details", Details())
    merged_into = changes.pop("merged_into", "")
    attributes = changes.pop("attributes", ())
    return Identity(
        id="01JPAT00000000000000000000",
        domain=HOSPITAL.key,
        version=3,
        created="2026-01-05T09:00:00Z",
        updated="2026-01-05T09:00:00Z",
        traits=Traits(**{**traits, **changes}),
        details=details,
        identifiers=(HeldIdentifier(Identifier("PI", HOSPITAL, "1234567"), since="2026-01-05"),),
        ins=HeldIns(ins, since="2026-01-05", contested=contested) if ins else None,
        checked=checked,
        attributes=attributes,
        merged_into=merged_into,
    )


def banner(identity=None):
    return banner_of(identity or person(), "test", bundled_cog())


def blank_pdf(*sizes, **entries) -> bytes:
    """A PDF of pages of these sizes in points, each with a black word near its top left corner as seen."""
    pdf = pikepdf.new()
    for width, height in sizes or [(595, 842)]:
        page = pdf.add_blank_page(page_size=(width, height))
        page.obj.Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary(
                F=pikepdf.Dictionary(
                    Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
                )
            )
        )
        page.contents_add(f"BT /F 14 Tf 12 {height - 16} Td (Compte rendu) Tj ET".encode())
        for name, value in entries.items():
            page.obj[f"/{name}"] = value
    return saved(pdf)


def saved(pdf, min_version="1.4", **options) -> bytes:
    out = io.BytesIO()
    pdf.save(out, min_version=min_version, **options)
    return out.getvalue()


def pixels(pdf: bytes, page=0, dpi=300):
    """A page as PDFium shows it, in grey."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[page].render(scale=dpi / 72, grayscale=True).to_pil()
    finally:
        document.close()


def words(pdf: bytes, page=0) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[page].get_textpage().get_text_range()
    finally:
        document.close()


def dmtx(image) -> list[str]:
    """What libdmtx reads on an image: a reader of another family than the writer."""
    return [found.data.decode("ascii") for found in arbez_dmtx.decode(image, max_count=1, timeout=20_000)]


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What tests of documents share."""
    return SimpleNamespace(
        ANS_PATIENT=ANS_PATIENT,
        banner=banner,
        blank_pdf=blank_pdf,
        dmtx=dmtx,
        person=person,
        pixels=pixels,
        saved=saved,
        words=words,
    )
