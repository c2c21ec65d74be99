"""Codes the simulator takes, as far as public sources show them. A script adds those that a site needs.

Sources: CI-SIS value sets J04, J06, J07, J08 (LOINC and ANS codes), JDV_J57 to J66 of the DMP, which are public by name
only. classCode, practiceSettingCode and confidentialityCode are whole; typeCode is not.
"""

from typing import Final

LOINC: Final = "2.16.840.1.113883.6.1"
LOCAL_TYPES: Final = "1.2.250.1.213.1.1.4.12"

CONFIDENTIALITY_HL7: Final = "2.16.840.1.113883.5.25"
CONFIDENTIALITY_DMP: Final = "1.2.250.1.213.1.1.4.13"
MASKED: Final = "MASQUE_PS"
INVISIBLE: Final = "INVISIBLE_PATIENT"

CLASSES: Final = ("1.2.250.1.213.1.1.4.1", frozenset({"10", "11", "31", "42", "43", "44", "45", "52", "60", "90"}))
PRACTICES: Final = (
    "1.2.250.1.213.1.1.4.9",
    frozenset(
        {
            "ETABLISSEMENT",
            "AMBULATOIRE",
            "HAD",
            "MAD",
            "SAD",
            "ESSMS",
            "SAMU_SMUR",
            "DEPISTAGE",
            "PALLIATIF",
            "AMO",
        }
    ),
)
CONFIDENTIALITIES: Final = {
    CONFIDENTIALITY_HL7: frozenset({"N", "R", "V"}),
    CONFIDENTIALITY_DMP: frozenset({MASKED, INVISIBLE, "INVISIBLE_REPRESENTANTS_LEGAUX"}),
}
FORMAT_SYSTEM: Final = "1.3.6.1.4.1.19376.1.2.3"
FORMATS: Final = frozenset(
    {
        "urn:ihe:iti:xds-sd:pdf:2008",
        "urn:ihe:iti:xds-sd:text:2008",
        "urn:ihe:iti-fr:xds-sd:rtf:2010",
        "urn:ihe:iti-fr:xds-sd:jpeg:2010",
        "urn:ihe:iti-fr:xds-sd:tiff:2010",
        "urn:ihe:lab:xd-lab:2008",
    }
)
"""A structured document (level 3) has a format of its own volet, taken by its form `urn:…`."""
FACILITY_SYSTEMS: Final = frozenset({"1.2.250.1.71.4.2.4", "1.2.250.1.213.1.1.4.6"})
CONTENT_TYPE_SYSTEM: Final = "1.2.250.1.213.2.2"
TYPES: Final = frozenset(
    {
        "11490-0",
        "34112-3",
        "34874-8",
        "11502-2",
        "18748-4",
        "57833-6",
        "57832-8",
        "57828-6",
        "15507-7",
        "11488-4",
        "34133-9",
        "60591-5",
        "60568-3",
        "70004-7",
        "67851-6",
        "77436-4",
        "96349-6",
        "18761-7",
        "51851-4",
        "55115-0",
    }
)
LOCALS: Final = frozenset(
    {
        "SYNTH",
        "CERT_DECL",
        "PRESC-BIO",
        "PRESC-KINE",
        "PRESC-INF",
        "PIECE-IDENTITE",
        "IMG-KOS",
        *(f"DOCPAT{number:02d}" for number in range(1, 10)),
    }
)
MEDIA: Final = frozenset({"text/xml", "application/xslt+xml"})
