"""The official checks. Their mechanism is tested on a folder of the same shape, with a Saxon made of libxslt;

with `TEST_CONTENU_CDA` naming the ANS's own folder, and saxonche installed, the real ones are run on what we build.
"""

import importlib.util
import io
import os
from pathlib import Path

import pytest

from insigne.documents.cda.build import write_cda
from insigne.documents.cda.description import read_description
from insigne.documents.cda.official import SCHEMATRON, STEPS, XSD, Official, OfficialError
from insigne.ins.cog import bundled_cog

SAXON = '''
"""Stands for saxonche: the same calls, XSLT 1 by libxslt."""
import os
import time
from lxml import etree

class PySaxonApiError(Exception):
    pass

class Executable:
    def __init__(self, path):
        if not os.path.exists(path):
            raise PySaxonApiError(f"no {path}")
        self.transform = etree.XSLT(etree.parse(path))
    def transform_to_file(self, source_file, output_file):
        with open(output_file, "wb") as out:
            out.write(bytes(self.transform(etree.parse(source_file))))
    def transform_to_string(self, xdm_node):
        if b"FALL" in etree.tostring(xdm_node):
            os._exit(3)
        if b"SLEEP" in etree.tostring(xdm_node):
            time.sleep(30)
        return str(self.transform(xdm_node))

class Processor:
    def compile_stylesheet(self, stylesheet_file):
        return Executable(stylesheet_file)

class PySaxonProcessor:
    def __init__(self, license):
        pass
    def new_xslt30_processor(self):
        return Processor()
    def parse_xml(self, xml_text):
        return etree.ElementTree(etree.fromstring(xml_text))
'''
COPY = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    '<xsl:template match="/"><xsl:copy-of select="."/></xsl:template></xsl:stylesheet>'
)
RULES = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:svrl="http://purl.oclc.org/dsdl/svrl" xmlns:h="urn:hl7-org:v3" exclude-result-prefixes="h">
<xsl:template match="/"><svrl:schematron-output>
  <xsl:if test="not(//h:title = document('include/voc.xml')/voc)">
    <svrl:failed-assert role="error" location="/*:ClinicalDocument[namespace-uri()='urn:hl7-org:v3']/title">
      <svrl:text>Titre hors du jeu de valeurs</svrl:text></svrl:failed-assert>
    <svrl:failed-assert role="warning" location="/"><svrl:text>Conseil</svrl:text></svrl:failed-assert>
  </xsl:if>
</svrl:schematron-output></xsl:template></xsl:stylesheet>"""
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3"
  xmlns="urn:hl7-org:v3" elementFormDefault="qualified"><xs:element name="ClinicalDocument"><xs:complexType>
  <xs:sequence><xs:element name="title" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""


def document(title):
    return f'<ClinicalDocument xmlns="urn:hl7-org:v3">{title}</ClinicalDocument>'.encode()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of the shape of TestContenuCDA, the schematron being its own translation."""
    for path, text in ((XSD, SCHEMA), (SCHEMATRON, RULES), *((step, COPY) for step in STEPS)):
        file = tmp_path / "official" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    vocabulary = tmp_path / "official" / SCHEMATRON.parent / "include" / "voc.xml"
    vocabulary.parent.mkdir()
    vocabulary.write_text("<voc>Lettre</voc>")
    saxon = tmp_path / "saxon"
    saxon.mkdir()
    (saxon / "saxonche.py").write_text(SAXON)
    monkeypatch.syspath_prepend(saxon)
    return tmp_path / "official"


def test_a_document_in_order_has_no_finding_and_value_sets_are_found_beside_the_schematron(folder):
    with Official(folder) as official:
        assert official.check([document("<title>Lettre</title>")]) == [[]]


def test_faults_of_the_schema_and_of_the_schematron_are_told_without_values(folder):
    with Official(folder) as official:
        both, wrong = official.check([document("<other>DUPONT</other>"), document("<title>DUPONT</title>")])
    assert [(one.rule, one.severity) for one in both] == [("XSD", "error"), ("SCH", "error"), ("SCH", "warning")]
    assert [(one.location, one.message) for one in wrong] == [
        ("/ClinicalDocument/title", "Titre hors du jeu de valeurs"),
        ("/", "Conseil"),
    ]
    assert "DUPONT" not in repr(both)


def test_what_is_not_plain_xml_never_reaches_saxon(folder):
    with Official(folder) as official:
        found = official.check([b"<a", b'<!DOCTYPE a SYSTEM "x"><a/>'])
    assert [[one.rule for one in findings] for findings in found] == [["C01"], ["C01"]]


def test_a_process_that_falls_is_told_and_leaves_us_standing(folder):
    with Official(folder) as official, pytest.raises(OfficialError, match="fell"):
        official.check([document("<title>FALL</title>")])


def test_a_document_that_takes_too_long_is_given_up(folder):
    with Official(folder) as official:
        official.check([document("<title>Lettre</title>")])  # compiled by now
        official._seconds = 0.5
        with pytest.raises(OfficialError, match="took more"):
            official.check([document("<title>SLEEP</title>")])


def test_broken_official_files_are_told(folder):
    (folder / XSD).write_text("<xs:schema")
    with Official(folder) as official, pytest.raises(OfficialError, match="CDA_extended"):
        official.check([document("<title>Lettre</title>")])


def test_a_folder_of_another_shape_names_what_it_lacks(folder):
    (folder / SCHEMATRON).unlink()
    with pytest.raises(OfficialError, match="StrucMin"):
        Official(folder)


def test_without_saxonche_the_way_to_get_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OfficialError, match="pip install saxonche"):
        Official(tmp_path)


if "TEST_CONTENU_CDA" in os.environ:  # a folder that the licence keeps out of here: run where it is given
    DESCRIPTION = b"""
    code = "11490-0"
    title = "Lettre de liaison"
    time = 2026-03-02T10:15:00+01:00
    id = "1.2.250.1.999.1.7.43"
    set_id = "1.2.250.1.999.1.7.42"
    version = 2
    replaces = "1.2.250.1.999.1.7.42"
    [author]
    id = "810012345678"
    family = "LEROUX"
    given = "Anne"
    civility = "MME"
    title = "DR"
    profession = "G15_10/SM26"
    profession_name = "M\\u00e9decin - Qualifi\\u00e9 en m\\u00e9decine g\\u00e9n\\u00e9rale (SM)"
    [author.organization]
    id = "1750000001"
    name = "CH Exemple"
    """

    def test_what_we_build_passes_the_official_xsd_and_schematron(kit):
        out = io.BytesIO()
        described = read_description("letter.toml", DESCRIPTION)
        write_cda(io.BytesIO(kit.blank_pdf()), out, kit.person(), described, "test", bundled_cog())
        good = out.getvalue()
        bad = good.replace(b'code="SA01"', b'code="SA99"')
        with Official(Path(os.environ["TEST_CONTENU_CDA"])) as official:
            passed, refused = official.check([good, bad])
        assert passed == []
        assert [one.rule for one in refused] == ["SCH"]
