"""`insigne document`: the INS on documents. Each act is imported only to be done."""

from typing import Final

from insigne.cli.common import examples, group_app

ACTS: Final = {
    "stamp": ("insigne.cli.document_stamp", "Put the INS banner and Data Matrix of an identity on a PDF."),
    "datamatrix": ("insigne.cli.document_stamp", "Draw the INS Data Matrix of an identity."),
    "render": ("insigne.cli.document_render", "Make a PDF/A of a text or of simple HTML."),
    "cda": ("insigne.cli.document_cda", "Build the CDA R2 document that carries a PDF."),
    "check": ("insigne.cli.document_cda", "Check a CDA R2 document."),
    "read": ("insigne.cli.document_read", "Read the Data Matrix of a PDF or a scan, and compare it with the registry."),
    "submit": ("insigne.cli.document_submit", "Give a document to the PFI: held until it may leave, then sent."),
    "list": ("insigne.cli.document_sendings", "List documents for the DMP and MSSanté: held, on their way, arrived."),
    "show": ("insigne.cli.document_sendings", "Show where a document is, why, and what to do."),
    "metadata": ("insigne.cli.document_metadata", "Show what the DMP is told of a document, and where it comes from."),
    "confirm": ("insigne.cli.document_acts", "Confirm the deletion of what was sent under an INS that was lost."),
    "retry": ("insigne.cli.document_acts", "Send again what was refused."),
    "withdraw": ("insigne.cli.document_acts", "Keep a document from leaving, or have it deleted where it arrived."),
    "review": ("insigne.cli.document_acts", "Look again at every document that waits."),
}
"""Act → (module that holds it, its line in `insigne document --help`)."""

app = group_app(
    "Put the INS on documents, read it there, build and check CDA R2 documents.",
    examples(
        "insigne document stamp letter.pdf stamped.pdf --identity 'GAM|4071'",
        "insigne document read scan.jpg",
        "insigne document cda stamped.pdf letter.xml --identity 'GAM|4071' --description letter.toml",
    ),
    ACTS,
)
