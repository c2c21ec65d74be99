"""The ANS's own XSD and schematron (TestContenuCDA), run on a document in processes apart.

The site gives the folder: its licence does not let it be distributed here. The schematron is XSLT 2, which only Saxon
runs: saxonche is an optional installation, is loaded in the other processes alone, and may fall without us.
"""

import importlib
import importlib.util
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as Late
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from lxml import etree

from insigne.documents.cda.findings import Finding, Severity, broken

XSD: Final = Path("infrastructure/cda/CDA_extended.xsd")
SCHEMATRON: Final = Path("schematrons/profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin.sch")
STEPS: Final = tuple(
    Path("schematrons/moteur") / name
    for name in ("iso_dsdl_include.xsl", "iso_abstract_expand.xsl", "iso_svrl_for_xslt2.xsl")
)
MOST_FINDINGS: Final = 200
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_LONGEST: Final = 500


class OfficialError(Exception):
    """The official checks cannot be run; the text says why and the remedy."""


class Official:
    """The official checks, on one folder, in `processes` processes kept until the end of a `with`.

    Raises OfficialError when saxonche is missing or the folder is not the one expected.
    """

    def __init__(self, folder: Path, *, processes: int = 1, seconds: float = 300.0) -> None:
        if importlib.util.find_spec("saxonche") is None:
            raise OfficialError("the official schematron needs saxonche, which is not installed: pip install saxonche")
        missing = [str(part) for part in (XSD, SCHEMATRON, *STEPS) if not (folder / part).is_file()]
        if missing:
            raise OfficialError(f"{folder}: not the folder of TestContenuCDA, it lacks {', '.join(missing)}")
        self._folder = str(folder.resolve())
        self._seconds = seconds
        self._scratch = tempfile.TemporaryDirectory(prefix="insigne-official-", ignore_cleanup_errors=True)
        self._pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def _kill(self) -> None:
        for process in list((self._pool._processes or {}).values()):  # nothing public ends one before Python 3.14
            process.kill()

    def check(self, documents: Sequence[bytes]) -> list[list[Finding]]:
        """Check documents, at once as far as there are processes; the findings of each, in the same order.

        Raises OfficialError when a process fell, when one took longer than `seconds`, or when the official files
        themselves are broken.
        """
        waiting = [self._pool.submit(_check, self._folder, self._scratch.name, document) for document in documents]
        try:
            return [task.result(self._seconds) for task in waiting]
        except Late as error:
            self._kill()
            raise OfficialError(
                f"the official checks took more than {self._seconds:g} s: look at the folder"
            ) from error
        except BrokenProcessPool as error:
            raise OfficialError("the process of the official checks fell: check that it has 2 GB of memory") from error
        except RuntimeError as error:
            raise OfficialError(f"the official files cannot be used: {error}") from error


def _check(folder: str, scratch: str, document: bytes) -> list[Finding]:
    """Check a document, in the other process."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        tree = etree.fromstring(document, parser).getroottree()
    except etree.XMLSyntaxError:
        return [broken("C01", "")]
    if tree.docinfo.doctype:
        return [broken("C01", "")]
    schema = _schema(folder)
    schema.validate(tree)
    found = [_against_xsd(error) for error in schema.error_log]
    found += _against_schematron(folder, scratch, etree.tostring(tree, encoding="unicode"))
    return found[:MOST_FINDINGS]


@cache
def _schema(folder: str) -> etree.XMLSchema:
    try:
        return etree.XMLSchema(etree.parse(Path(folder) / XSD))
    except etree.LxmlError as error:
        raise RuntimeError(f"{XSD}: {error}") from error


def _against_xsd(error: etree._LogEntry) -> Finding:
    text = f"line {error.line}: {error.type_name}"  # the message of libxml2 quotes values, which are a patient's
    return Finding("XSD", "error", error.path or "", text, text, str(XSD))


def _against_schematron(folder: str, scratch: str, document: str) -> list[Finding]:
    processor, rules = _rules(folder, scratch)
    try:
        report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=document))
    except Exception as error:  # saxonche raises a class of its own for all that goes wrong
        raise RuntimeError(f"{SCHEMATRON}: {_short(error)}") from None
    svrl = etree.fromstring(report.encode())
    return [_failed(one) for one in svrl.iter(f"{_SVRL}failed-assert")]


def _failed(one: etree._Element) -> Finding:
    text = " ".join("".join(map(str, one.itertext())).split())[:_LONGEST]
    severity: Severity = "warning" if one.get("role") in ("warning", "hint", "info") else "error"
    location = (one.get("location") or "").replace("*:", "").replace("[namespace-uri()='urn:hl7-org:v3']", "")
    return Finding("SCH", severity, location, text, text, SCHEMATRON.stem)


@cache
def _rules(folder: str, scratch: str) -> tuple[Any, Any]:
    """Saxon and the schematron compiled: its includes and abstract patterns first, then into XSLT. Some seconds.

    The results lie in a folder that looks like the schematron's own, since it opens value sets by relative paths.
    """
    saxon: Any = importlib.import_module("saxonche")  # heavy and optional: here alone
    processor = saxon.PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()
    work = _like(Path(folder), Path(scratch) / str(os.getpid()))
    source = work / SCHEMATRON.name
    try:
        for number, step in enumerate(STEPS):
            result = work / f"{number}.xml"
            executable = xslt.compile_stylesheet(stylesheet_file=str(Path(folder) / step))
            executable.transform_to_file(source_file=str(source), output_file=str(result))
            source = result
        return processor, xslt.compile_stylesheet(stylesheet_file=str(source))
    except saxon.PySaxonApiError as error:
        raise RuntimeError(f"{SCHEMATRON}: {_short(error)}") from None


def _like(folder: Path, scratch: Path) -> Path:
    """Make a folder in which the schematron finds what it refers to; return where the schematron is in it."""
    work = scratch / SCHEMATRON.parent
    work.mkdir(parents=True)
    for part in (folder / SCHEMATRON.parent).iterdir():
        (work / part.name).symlink_to(part)
    for part in (folder / "jeuxDeValeurs", folder / "infrastructure"):
        if part.exists():
            (scratch / part.name).symlink_to(part)
    return work


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST]
