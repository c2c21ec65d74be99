"""`insigne document stamp`, `datamatrix` and `read`."""

import json
import subprocess
import sys

import arbez_dmtx
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from insigne.registry import events as ev
from insigne.registry.values import Ins, Traits

INS = Ins("285076311304226", "1.2.250.1.213.1.4.8")
TRAITS = Traits("LESTREZ", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113")
MARGOT = "01JMARGOT00000000000000000"
PAYLOAD = (
    "IS010000000000000000000000"
    "S1285076311304226S21.2.250.1.213.1.4.8\x1dS3MARGOT ZOE\x1dS4LESTREZ\x1dS5FS612-07-1985S763113"
)


@pytest.fixture
def letter(tmp_path):
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.add_blank_page()
    pdf.save(tmp_path / "letter.pdf")
    return tmp_path / "letter.pdf"


def shown(path):
    document = pypdfium2.PdfDocument(path)
    image = document[0].render(scale=300 / 72, grayscale=True).to_pil()
    text = document[0].get_textpage().get_text_range()
    document.close()
    return image, text


def dmtx(image):
    return [found.data.decode() for found in arbez_dmtx.decode(image, max_count=1, timeout=20_000)]


def downgraded(hospital):
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.InsWithdrawn(INS, "deleted by INSi"))


def test_a_qualified_identity_is_stamped_with_its_matricule_and_symbol(insigne, hospital, letter, tmp_path):
    out = tmp_path / "out.pdf"
    run = insigne("--data", hospital.folder, "document", "stamp", letter, out, "--identity", "GAM|4071", "--json")
    assert run.status == 0, run.err
    done = json.loads(run.out)
    assert (done["identity"], done["qualified"], done["pages"], done["stamped"]) == (MARGOT, True, 2, 1)
    image, text = shown(out)
    assert "285076311304226 [INS-NIR]" in text
    assert dmtx(image) == [PAYLOAD]


def test_one_not_qualified_gets_its_traits_alone_and_stderr_says_why(insigne, hospital, letter, tmp_path):
    downgraded(hospital)
    out = tmp_path / "out.pdf"
    run = insigne("--data", hospital.folder, "document", "stamp", letter, out, "--identity", MARGOT)
    assert run.status == 0
    assert "without matricule nor Data Matrix" in run.err
    image, text = shown(out)
    assert "LESTREZ" in text
    assert "285076311304226" not in text
    assert dmtx(image) == []


def test_require_qualified_writes_no_file(insigne, hospital, letter, tmp_path):
    downgraded(hospital)
    out = tmp_path / "out.pdf"
    run = insigne(
        "--data", hospital.folder, "document", "stamp", letter, out, "--identity", MARGOT, "--require-qualified"
    )
    assert run.status == 1
    assert "not qualified" in run.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "letter.pdf"]


def test_a_document_that_cannot_be_stamped_leaves_no_file_and_says_why(insigne, hospital, tmp_path):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing")
    out = tmp_path / "out.pdf"
    run = insigne("--data", hospital.folder, "document", "stamp", broken, out, "--identity", MARGOT)
    assert run.status == 1
    assert "broken.pdf" in run.err
    assert "damaged" in run.err
    assert not out.exists()


def test_wrong_use_is_told_apart_from_an_unknown_identity(insigne, hospital, letter, tmp_path):
    def run(*args):
        return insigne("--data", hospital.folder, "document", *args).status

    assert run("stamp", tmp_path / "absent.pdf", tmp_path / "out.pdf", "--identity", MARGOT) == 2
    assert run("stamp", letter, tmp_path / "no" / "out.pdf", "--identity", MARGOT) == 2
    assert run("datamatrix", tmp_path / "out.gif", "--identity", MARGOT) == 2
    assert run("stamp", letter, tmp_path / "out.pdf", "--identity", "GAM|0") == 1


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_symbol_is_drawn_in_each_form(insigne, hospital, tmp_path, kind):
    out = tmp_path / f"label.{kind}"
    run = insigne("--data", hospital.folder, "document", "datamatrix", "--identity", "GAM|4071", out)
    assert run.status == 0, run.err
    if kind == "png":
        with Image.open(out) as image:
            assert dmtx(image.convert("L")) == [PAYLOAD]
    elif kind == "pdf":
        assert dmtx(shown(out)[0]) == [PAYLOAD]
    else:
        assert out.read_text(encoding="utf-8").startswith("<svg")


def test_a_symbol_is_refused_with_the_reason_when_the_identity_is_not_qualified(insigne, hospital, tmp_path):
    downgraded(hospital)
    run = insigne("--data", hospital.folder, "document", "datamatrix", "--identity", MARGOT, tmp_path / "label.png")
    assert run.status == 1
    assert "VALI" in run.err
    assert not (tmp_path / "label.png").exists()


def test_what_was_stamped_is_read_back_and_the_registry_agrees(insigne, hospital, letter, tmp_path):
    out = tmp_path / "out.pdf"
    insigne("--data", hospital.folder, "document", "stamp", letter, out, "--identity", MARGOT)
    run = insigne("--data", hospital.folder, "document", "read", out, "--json")
    assert run.status == 0
    read = json.loads(run.out)
    assert (read["registry"], read["differences"], read["identity"], read["page"]) == ("agrees", [], MARGOT, 1)
    assert read["fields"]["S1"] == "285076311304226"
    assert read["fields"]["S6"] == "12-07-1985"


def test_a_scan_that_differs_from_the_registry_tells_how(insigne, hospital, letter, tmp_path):
    out, scan = tmp_path / "out.pdf", tmp_path / "scan.jpg"
    insigne("--data", hospital.folder, "document", "stamp", letter, out, "--identity", MARGOT)
    shown(out)[0].rotate(1.5, expand=True, fillcolor=250, resample=Image.Resampling.BICUBIC).save(scan, quality=70)
    renamed = Traits("LESTREZ", "MARGOT", "MARGOT ZOE", "19850713", "F", "63113")
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.TraitsChanged(TRAITS, renamed))
    run = insigne("--data", hospital.folder, "document", "read", scan, "--json")
    assert run.status == 1
    read = json.loads(run.out)
    assert read["registry"] == "differs"
    assert read["differences"] == [
        {"field": "S6", "name": "birth date", "document": "12-07-1985", "registry": "13-07-1985"}
    ]
    words = insigne("--data", hospital.folder, "document", "read", scan)
    assert "the registry differs" in words.out


def test_an_ins_that_nobody_has_is_unknown_and_a_blank_page_has_none(insigne, site, hospital, letter, tmp_path):
    out = tmp_path / "out.pdf"
    insigne("--data", hospital.folder, "document", "stamp", letter, out, "--identity", MARGOT)
    downgraded(hospital)
    run = insigne("--data", hospital.folder, "document", "read", out, "--json")
    assert run.status == 1
    assert json.loads(run.out)["registry"] == "unknown"
    blank = insigne("--data", hospital.folder, "document", "read", letter)
    assert blank.status == 1
    assert "no INS Data Matrix" in blank.err


def test_the_help_of_the_family_imports_no_pdf_library():
    probe = (
        "import sys\nfrom insigne.cli import main\n"
        "try:\n    main(['document', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pikepdf', 'fontTools', 'PIL', 'lxml'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Examples:" in done.stdout


def test_a_text_is_rendered_with_the_banner_of_an_identity(insigne, hospital, tmp_path):
    text, out = tmp_path / "letter.txt", tmp_path / "letter.pdf"
    text.write_text("Cher confrère,\n", encoding="utf-8")
    run = insigne("--data", hospital.folder, "document", "render", text, out, "--identity", MARGOT, "--json")
    assert run.status == 0, run.err
    assert json.loads(run.out) == {"file": str(out), "qualified": True}
    image, words = shown(out)
    assert "Cher confrère," in words
    assert dmtx(image) == [PAYLOAD]


def test_a_text_is_rendered_without_any_base_and_must_be_utf_8(insigne, tmp_path):
    page, out = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text("<h1>Compte rendu</h1>", encoding="utf-8")
    assert insigne("--data", tmp_path / "none", "document", "render", page, out).status == 0
    assert "Compte rendu" in shown(out)[1]
    page.write_bytes("é".encode("latin-1"))
    refused = insigne("--data", tmp_path / "none", "document", "render", page, tmp_path / "other.pdf")
    assert refused.status == 1
    assert "UTF-8" in refused.err
    assert not (tmp_path / "other.pdf").exists()
