"""Documents: banners stamped on letters, symbols read back, CDA built and checked, memory of a large document; then
what the PFI does with them: many held and released, signed and sent, a large one from intake to the DMP.
"""

import gc
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import arbez_dmtx
import pikepdf
import pypdfium2

from bench import documents_fed, documents_held, documents_official, machine
from bench.progress import bar
from bench.report import Cell, Report, Table, Target
from bench.rounds import interleaved, per_item, spread
from insigne.documents.banner import Banner, banner_of
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.check import Checks, check
from insigne.documents.cda.description import Description, read_description
from insigne.documents.pdf import Limits
from insigne.documents.render import render_text
from insigne.documents.stamp import StampOptions, stamp
from insigne.ins.cog import bundled_cog
from insigne.ins.matricule import NIR_TEST_OID, key_of
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits

PEOPLE = 100
MEGABYTES = 20
MOMENT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOSPITAL = Authority("CHEX", "1.2.250.1.999.1", "ISO")
NAMES = ("LESTREZ", "D'ARTIGNY", "KERGOAT", "SAINT-AUBIN", "MBEKI", "OZTURK", "VAN DAMME", "LE GUENNEC")
GIVEN = ("MARGOT ZOE", "JEAN-LOUP", "ALIX", "AYA MARIE CELESTE", "TOM", "NADIA", "YVES MARIE", "LOU")
DESCRIPTION = b"""
code = "11490-0"
title = "Lettre de liaison"
time = 2026-03-02T10:15:00+01:00
id = "1.2.250.1.999.1.7.43"
author = { id = "810012345678", family = "LEROUX", organization = { id = "1750000001", name = "CH" } }
"""
STAMP, BUILD, BOTH = "stamp a letter of two pages", "build its CDA", "build and check its CDA (own rules)"


def run(*, quick: bool) -> Report:
    """Work on papers, then work of the PFI."""
    report = papers(quick=quick)
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder:
        _hold_and_release(report, Path(folder) / "held")
        _sign_and_send(report, Path(folder) / "fed")
        _feed_large(report, Path(folder) / "large")
    _judge(report)
    return report


def papers(*, quick: bool) -> Report:
    """Time stamping and CDA in one thread; read every stamped letter of a sample back by another reader."""
    rounds, sample = (3, 10) if quick else (9, PEOPLE)
    people = [person(number) for number in range(PEOPLE)]
    banners = [banner_of(one, "test", bundled_cog()) for one in people]
    letter, file = two_pages(), machine.scratch() / "letter.pdf"
    file.write_bytes(letter)
    described = read_description("letter.toml", DESCRIPTION)
    timers: dict[str, Callable[[], float]] = {
        STAMP: lambda: per_item(lambda banner: stamped(file, banner), banners),
        BUILD: lambda: per_item(lambda one: built(letter, one, described), people),
        BOTH: lambda: per_item(lambda one: checked(letter, one, described), people),
    }
    with bar("documents", rounds * len(timers) + 2) as step:
        times = {name: spread(values) for name, values in interleaved(timers, rounds, step).items()}
        right = sum(read_back(stamped(file, banner)) == banner.payload for banner in banners[:sample])
        step()
        memory = {name: grown(name) for name in LARGE}
        step()
    clean = all(not checked(letter, one, described) for one in people)
    rates = {name: 1e6 / found.median for name, found in times.items()}
    targets = [
        Target(what=STAMP, measured=rates[STAMP], unit="/s per core", must=500),
        Target(what=BOTH, measured=rates[BOTH], unit="/s per core", must=250),
    ]
    targets += [
        Target(what=f"memory to {name}", measured=times_size, unit="× its size", must=3, at_least=False)
        for name, times_size in memory.items()
    ]
    return Report(
        name="documents",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("pikepdf", "lxml", "zxing-cpp", "fpdf2"),
        tables=[
            Table("work", ["what", "µs", "/s per core"], [[name, found, rates[name]] for name, found in times.items()]),
            Table(
                f"memory for a document of {MEGABYTES} MB",
                ["what", "× its size"],
                [[name, found] for name, found in memory.items()],
            ),
        ],
        targets=targets,
        notes=[
            f"letter of {len(letter) / 1024:.0f} KB; {PEOPLE} people; times are of the processor",
            f"symbols read back by libdmtx from pages drawn at 300 dpi: {right} of {sample}",
            f"documents built without a finding of our rules: {'all' if clean else 'NOT ALL'}",
        ],
        ok=right == sample and clean,
    )


def _hold_and_release(report: Report, folder: Path) -> None:
    """A million documents held (20,000 when quick); patients become qualified while messages come in."""
    people, documents, rounds, seconds = (2_000, 20_000, 3, 6) if report.quick else (100_000, 1_000_000, 5, 10)
    found = documents_held.released(folder, people, documents, rounds, seconds)
    rows: list[list[Cell]] = [
        ["documents looked at again and queued, /s", spread([one.released / one.seconds for one in found.rounds])],
        ["messages, p99 without documents, ms", spread([one.before for one in found.rounds])],
        ["messages, p99 with documents, ms", spread([one.during for one in found.rounds])],
    ]
    offered = found.rounds[0].released / seconds
    title = (
        f"{found.held:,} documents held that share {documents_held.CONTENTS:,} contents, {people:,} identities,"
        f" {documents_held.PACE:g} messages/s that bring the INS for {offered:,.0f} documents/s"
    )
    report.tables.append(Table(title, ["what", "found"], rows))
    report.targets += [
        Target(what="held documents looked at again and queued", measured=found.rate, unit="/s", must=200),
        Target(what="p99 of messages meanwhile", measured=found.slower, unit="×", must=1.25, at_least=False),
    ]
    if found.wrong:
        report.notes.append(f"held documents: {found.wrong} wrong answers, missing or wrongly released")
        report.ok = False


def _sign_and_send(report: Report, folder: Path) -> None:
    found = documents_fed.fed(folder, 80 if report.quick else 800)
    rows: list[list[Cell]] = [
        ["documents/s", found.rate],
        ["processor of ours, ms a document", found.processor / found.documents * 1000],
    ]
    title = (
        f"signed and sent: {found.documents} documents of {documents_fed.EACH} a patient, mutual TLS, to the simulator"
    )
    report.tables.append(Table(title, ["what", "found"], rows))
    if found.missing:
        report.notes.append(f"signed and sent: {found.missing} documents are not in the DMP")
        report.ok = False


def _feed_large(report: Report, folder: Path) -> None:
    found = documents_fed.grown(folder, two_pages(), scanned())
    report.tables.append(
        Table(
            f"memory of the server from intake to the DMP, a PDF of {MEGABYTES} MB",
            ["how it came", "× its size"],
            [[name, times_size] for name, times_size in found.items()],
        )
    )
    report.targets += [
        Target(
            what=f"memory from intake to the DMP, {name}",
            measured=times_size,
            unit="× its size",
            must=3,
            at_least=False,
        )
        for name, times_size in found.items()
    ]


def _judge(report: Report) -> None:
    """The official rules, where they are."""
    letter, described = two_pages(), read_description("letter.toml", DESCRIPTION)
    documents = [built(letter, person(number), described) for number in range(10 if report.quick else PEOPLE)]
    found = documents_official.judged(documents, 2)
    if found.why:
        report.notes.append(f"official XSD and schematron not measured: {found.why}")
        return
    rows: list[list[Cell]] = [["documents/s", found.rate], ["documents with a finding", found.found]]
    report.tables.append(Table(f"official XSD and schematron, {found.processes} processes", ["what", "found"], rows))


def person(number: int) -> Identity:
    """A qualified identity."""
    born = (datetime(1930, 1, 1, tzinfo=UTC) + timedelta(days=number * 331)).strftime("%Y%m%d")
    root = f"{1 + number % 2}{born[2:6]}51215{number:03d}"
    given = GIVEN[number % len(GIVEN)]
    sex = "F" if number % 2 else "M"
    return Identity(
        id=f"{number:026d}",
        domain=HOSPITAL.key,
        version=1,
        created="2026-01-01T00:00:00Z",
        updated="2026-01-01T00:00:00Z",
        traits=Traits(NAMES[number // 7 % len(NAMES)], given.split()[0], given, born, sex, "51215"),
        details=Details(),
        identifiers=(HeldIdentifier(Identifier("PI", HOSPITAL, str(number)), since=""),),
        ins=HeldIns(Ins(root + key_of(root), NIR_TEST_OID), since=""),
        checked=True,
    )


def two_pages() -> bytes:
    """A letter, as a word processor makes it: two pages of text, fonts inside."""
    line = "Le patient a été admis pour une dyspnée d’effort ; l’échographie montre une fonction conservée. "
    pdf = render_text("\n".join([line * 6] * 12), "Lettre de liaison", MOMENT)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == 2
    return pdf


def stamped(letter: Path, banner: Banner) -> bytes:
    out = io.BytesIO()
    stamp(letter, out, banner, StampOptions())
    return out.getvalue()


def built(letter: bytes, identity: Identity, description: Description) -> bytes:
    out = io.BytesIO()
    write_cda(io.BytesIO(letter), out, identity, description, "test", bundled_cog())
    return out.getvalue()


def checked(letter: bytes, identity: Identity, description: Description) -> list[object]:
    checks = Checks("test", holders=lambda ins: (identity,))
    return [*check(built(letter, identity, description), checks)]


def read_back(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    image = document[0].render(scale=300 / 72, grayscale=True).to_pil()
    document.close()
    strip = image.crop((0, 0, image.width, image.height // 8))
    return "".join(found.data.decode() for found in arbez_dmtx.decode(strip, max_count=1, timeout=20_000))


def _stamp_large(folder: Path) -> None:
    banner = banner_of(person(1), "test", bundled_cog())
    with (folder / "out.pdf").open("wb") as out:
        stamp(folder / "in.pdf", out, banner, StampOptions(limits=Limits(max_bytes=2**30)))


def _build_large(folder: Path) -> None:
    described = read_description("letter.toml", DESCRIPTION)
    with (folder / "in.pdf").open("rb") as pdf, (folder / "out.xml").open("wb") as out:
        write_cda(pdf, out, person(1), described, "test", bundled_cog())


def _check_large(folder: Path) -> None:
    assert check((folder / "in.xml").read_bytes(), Checks("test")) == []


LARGE = {"stamp it": _stamp_large, "build its CDA": _build_large, "check its CDA": _check_large}


def grown(name: str) -> float:
    """How much a process of its own grows at most while it handles a large document, in sizes of that document."""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as folder:
        _prepare(Path(folder) / "small", two_pages())
        _prepare(Path(folder) / "large", scanned())
        command = [sys.executable, "-m", "bench.documents", name, folder]
        done = subprocess.run(command, check=True, capture_output=True, env=machine.environment())
    return float(done.stdout)


def scanned() -> bytes:
    """A document of one page that holds a large image."""
    with pikepdf.open(io.BytesIO(two_pages())) as pdf:
        pdf.Root.Scan = pdf.make_indirect(pikepdf.Stream(pdf, os.urandom(MEGABYTES * 2**20)))
        out = io.BytesIO()
        pdf.save(out, compress_streams=False)
        return out.getvalue()


def _prepare(folder: Path, pdf: bytes) -> None:
    folder.mkdir()
    (folder / "in.pdf").write_bytes(pdf)
    described = read_description("letter.toml", DESCRIPTION)
    (folder / "in.xml").write_bytes(built(pdf, person(1), described))


def _grow(name: str, folder: Path) -> float:
    LARGE[name](folder / "small")  # modules, typeface and tables are loaded
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the highest mark falls back to what is held now
    before = machine.resident_kb()
    LARGE[name](folder / "large")
    return (machine.highest_kb() - before) / 1024 / MEGABYTES


if __name__ == "__main__":
    print(_grow(sys.argv[1], Path(sys.argv[2])))
