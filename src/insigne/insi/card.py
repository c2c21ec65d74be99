"""What an answer by carte Vitale (WS_INS1) leads to for the identity whose card was read. Pure."""

from typing import Final

from insigne.insi.automation import eligible
from insigne.insi.outcomes import outcome_of
from insigne.insi.wire.model import FOUND, InsiFault, InsiResult
from insigne.registry.acts import NoteInsiOutcome
from insigne.registry.settings import Policy
from insigne.registry.state import Identity

_PHYSICAL_CARD: Final = "CV"
"""How the identity was obtained (ZFD-5, FR Core methodCollection)."""


def outcome_by_card(
    then: Identity, now: Identity | None, result: InsiResult, call: str, policy: Policy
) -> NoteInsiOutcome | None:
    """The answer that is to wait for a person; None when nothing is learnt of the identity.

    That is so of a fault, of nobody and of several people, whose causes are on the card and not in the traits; and of
    an identity that is not any more, in `now`, what it was when INSi was asked, in `then`. `call` is the trace.
    """
    if isinstance(result, InsiFault) or result.code != FOUND:
        return None
    if now is None or eligible(now, policy) or now.traits != then.traits:
        return None
    return outcome_of(now, result, call, policy.comparison, mode=_PHYSICAL_CARD)
