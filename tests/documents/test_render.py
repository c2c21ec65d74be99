import io
from datetime import UTC, datetime

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigne.documents.errors import DocumentError
from insigne.documents.html import plain
from insigne.documents.render import render_html, render_text
from insigne.documents.stamp import StampOptions, stamp

MOMENT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
TEXT = "Cher confrère,\n\nL’œdème régresse : SpO₂ ≥ 94 %, créatinine 80 µmol/L.\n\n\tBien à vous"
PAGE = """<html><head><title>x</title><style>p { color: red }</style><script>alert(1)</script></head>
<body onload="x()"><h1>Compte rendu</h1><div><p style="x">Un <b>gras</b> et <i>penché</i> &lt;5 mg &amp; plus</p></div>
<ul><li>un</li><li>deux</li></ul><table><tr><th>Examen</th><th>Valeur</th></tr><tr><td>Na</td><td>140</td></tr></table>
<p>Voir <a href="http://127.0.0.1:1/x">ici</a><img src="http://127.0.0.1:1/y.png"></p><pre>a  b</pre></body></html>"""


def is_pdf_a(pdf):
    """The marks of PDF/A-1b that can be seen without a validator."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        metadata = document.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("1", "B")
        assert document.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert document.pdf_version == "1.4"
        assert "/ID" in document.trailer
        kinds = {item.get("/Type") for item in document.objects if isinstance(item, pikepdf.Stream)}
        assert not kinds & {pikepdf.Name.ObjStm, pikepdf.Name.XRef}
        used = [item for item in document.objects if isinstance(item, pikepdf.Dictionary) and "/BaseFont" in item]
        simple = [font for font in used if font.get("/Subtype") not in ("/Type0", "/CIDFontType2")]
        assert used
        assert simple == []
        found = [item for item in document.objects if _is_descriptor(item)]
        assert found
        assert [font for font in found if "/FontFile2" not in font or "/CIDSet" not in font] == []
    return True


def _is_descriptor(item):
    return isinstance(item, pikepdf.Dictionary) and item.get("/Type") == pikepdf.Name.FontDescriptor


def test_a_text_becomes_a_pdf_a_whose_words_can_be_copied(kit):
    pdf = render_text(TEXT, "Lettre", MOMENT)
    assert is_pdf_a(pdf)
    words = kit.words(pdf)
    assert "Cher confrère," in words
    assert "SpO₂ ≥ 94 %, créatinine 80 µmol/L." in words
    assert "Page 1 / 1" in words


def test_simple_html_keeps_its_words_and_loses_what_acts(kit):
    pdf = render_html(PAGE, "CR", MOMENT)
    assert is_pdf_a(pdf)
    words = " ".join(kit.words(pdf).split())
    for kept in ("Compte rendu", "Un gras et penché <5 mg & plus", "un", "deux", "Examen", "140", "Voir ici"):
        assert kept in words
    for lost in ("alert", "color", "127.0.0.1"):
        assert lost not in words
    assert b"127.0.0.1" not in pdf


def test_a_rendered_page_stays_pdf_a_once_stamped(kit):
    out = io.BytesIO()
    stamp(io.BytesIO(render_text(TEXT, "Lettre", MOMENT)), out, kit.banner(), StampOptions())
    assert is_pdf_a(out.getvalue())
    assert kit.dmtx(kit.pixels(out.getvalue())) == [kit.ANS_PATIENT]


def test_a_long_text_goes_on_over_numbered_pages(kit):
    pdf = render_text("\n".join(f"ligne {number}" for number in range(150)), "Long", MOMENT)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        pages = len(document.pages)
    assert pages > 1
    assert f"Page 2 / {pages}" in " ".join(kit.words(pdf, 1).split())
    assert "ligne 149" in kit.words(pdf, pages - 1)


def test_the_same_text_at_the_same_moment_gives_the_same_title_and_date():
    with pikepdf.open(io.BytesIO(render_text("a", "Lettre", MOMENT))) as document:
        metadata = document.open_metadata()
        assert metadata["dc:title"] == "Lettre"
        assert metadata["xmp:CreateDate"].startswith("2026-03-02T09:15:00")


def test_a_letter_in_two_characters_is_composed_and_invisible_ones_go(kit):
    assert "été" in kit.words(render_text("e\u0301te\u0301\u200b", "x", MOMENT))


@pytest.mark.parametrize("render", [render_text, render_html])
def test_what_the_typeface_lacks_is_refused_rather_than_left_out(render):
    with pytest.raises(DocumentError, match=r"U\+1F600") as refusal:
        render("Bonjour 😀", "x", MOMENT)
    assert refusal.value.rule == "characters"


@pytest.mark.parametrize("render", [render_text, render_html])
def test_a_text_too_long_is_refused(render):
    with pytest.raises(DocumentError, match="divide"):
        render("a" * 1_000_001, "x", MOMENT)


def test_html_without_text_or_nested_beyond_reason_is_refused():
    with pytest.raises(DocumentError):
        plain("")
    with pytest.raises(DocumentError, match="nested"):
        plain("<b>" * 100 + "x")


def test_a_row_outside_of_a_table_is_refused_with_the_remedy():
    with pytest.raises(DocumentError, match="rows belong in a table"):
        render_html("<tr>", "x", MOMENT)


def test_html_is_rewritten_with_the_elements_kept():
    assert plain("<section>a<span onclick='x'>b</span></section>") == "<p>ab</p>"
    assert plain("<p>1 < 2 &amp; 3<br>x<svg><text>y</text></svg>z</p>") == "<p>1 &lt; 2 &amp; 3<br>xz</p>"


@settings(max_examples=40)
@given(st.text(alphabet=st.sampled_from("<>/abphtdrul i&;=\"'\n\t!-"), max_size=120))
def test_any_html_is_drawn_or_refused_never_worse(text):
    try:
        assert render_html(text, "x", MOMENT).startswith(b"%PDF-1.4")
    except DocumentError as error:
        assert error.message_fr  # noqa: PT017  # both ends are right
