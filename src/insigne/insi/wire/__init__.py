"""The messages of INSi, bytes ⇄ values, both ways: the client writes calls and reads answers, a server the contrary.

Pure: no socket, clock or chance. Answers are read tolerantly (namespaces, any order), calls are written strictly.
"""

from insigne.insi.wire.model import (
    FOUND,
    MALFORMED,
    NOT_FOUND,
    SEVERAL,
    TIMEOUT,
    TLS,
    UNREACHABLE,
    CallContext,
    FaultKind,
    InsiAnswer,
    InsiFault,
    InsiResult,
    InsiTraits,
    InsNumber,
    Operation,
    Request,
    SearchTraits,
    VitaleData,
    WireError,
)
from insigne.insi.wire.names import ACTIONS, MEDIA_TYPE, content_type
from insigne.insi.wire.request import build_search, build_vitale, read_request
from insigne.insi.wire.response import LABELS, NO_DEVIATION, Deviation, build_answer, build_fault, read_answer

__all__ = [
    "ACTIONS",
    "FOUND",
    "LABELS",
    "MALFORMED",
    "MEDIA_TYPE",
    "NOT_FOUND",
    "NO_DEVIATION",
    "SEVERAL",
    "TIMEOUT",
    "TLS",
    "UNREACHABLE",
    "CallContext",
    "Deviation",
    "FaultKind",
    "InsNumber",
    "InsiAnswer",
    "InsiFault",
    "InsiResult",
    "InsiTraits",
    "Operation",
    "Request",
    "SearchTraits",
    "VitaleData",
    "WireError",
    "build_answer",
    "build_fault",
    "build_search",
    "build_vitale",
    "content_type",
    "read_answer",
    "read_request",
]
