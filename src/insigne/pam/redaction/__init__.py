"""Messages without the people in them: every personal value gives way to a stand-in of the same shape.

What a vendor's support needs stays: the structure, the separators, the character sets, the codes of tables, the
headers. What is not known to be harmless is replaced.
"""

from insigne.pam.redaction.document import redact_document
from insigne.pam.redaction.message import redact_message
from insigne.pam.redaction.standins import StandIns

__all__ = ["StandIns", "redact_document", "redact_message"]
