"""Writing for receivers: events become notices, notices become messages in each receiver's dialect.

`notices` says what is told, once for everybody; `encode` writes one notice for one receiver, when it is first sent.
"""

from insigne.pam.encode.derive import baseline, baseline_stay, notices
from insigne.pam.encode.dialect import Dialect, dialect_of
from insigne.pam.encode.message import encode
from insigne.pam.encode.notice import Notice, Ref
from insigne.pam.encode.outcome import Encoded, Nothing, Outcome, Withheld
from insigne.pam.encode.settings import FieldRule, SubscriptionSettings

__all__ = [
    "Dialect",
    "Encoded",
    "FieldRule",
    "Nothing",
    "Notice",
    "Outcome",
    "Ref",
    "SubscriptionSettings",
    "Withheld",
    "baseline",
    "baseline_stay",
    "dialect_of",
    "encode",
    "notices",
]
