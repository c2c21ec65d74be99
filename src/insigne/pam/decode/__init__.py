"""ADT messages (ITI-30, ITI-31) read as registry commands.

Reading is by position and type, never by edition: what an edition forbids is the validator's to say, and what the
message says is not lost for it. In every field an empty value says nothing and `""` says "delete" (HL7 v2.5 §2.5.3).
"""

from insigne.pam.decode.message import decode
from insigne.pam.decode.triggers import KINDS, Kind, kind_of

__all__ = ["KINDS", "Kind", "decode", "kind_of"]
