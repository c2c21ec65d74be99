"""docs/performance.md says what the results kept say."""

from bench.report import Report, Spread, Table, Target

from bench import document


def test_the_document_shows_the_results_that_are_kept():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    assert text == document.written(text, document.kept())


def test_results_replace_the_former_ones_and_leave_the_words_alone():
    report = Report(
        name="parse",
        quick=False,
        date="2026-01-01",
        machine={"cores": 2},
        tables=[Table("speed", ["reader", "µs"], [["ours", Spread(2.0, 1.0, 3.0, 3)]])],
        targets=[Target(what="faster", measured=3.0, unit="×", must=2, stretch=4)],
        notes=["all right"],
    )
    start = f"# Title\n\n{document.BEGIN}\nold\n{document.END}\n\nWords.\n"
    once = document.written(start, [report])
    assert "old" not in once
    assert "| faster | 3 × | ≥ 2 | ≥ 4 | met |" in once
    assert "| ours | 2 (1 - 3) |" in once
    assert once.startswith("# Title\n")
    assert once.endswith("Words.\n")
    assert document.written(once, [report]) == once
