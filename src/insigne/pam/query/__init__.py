"""IHE PIX (ITI-9) and PDQ (ITI-21) queries as values, and their answers as bytes. Pure.

`request` reads a QBP, `response` writes the RSP, `criteria` says who meets the demographics asked.
"""

from insigne.pam.query.criteria import Criteria, Wanted
from insigne.pam.query.request import Asked, PdqQuery, PixQuery, QueryRefused, read_query
from insigne.pam.query.response import Reply, respond

__all__ = [
    "Asked",
    "Criteria",
    "PdqQuery",
    "PixQuery",
    "QueryRefused",
    "Reply",
    "Wanted",
    "read_query",
    "respond",
]
