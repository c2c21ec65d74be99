"""Enrolment: a person entered their own traits; a professional looks at their document and qualifies the identity."""

from insigne.registry import acts
from insigne.registry.decision import Draft
from insigne.registry.qualification import ours


def raise_enrolment(draft: Draft, act: acts.RaiseEnrolment) -> None:
    """Ask for a professional; `possible-duplicate` says that the search made before found somebody."""
    identity = ours(draft, act.identity, 0)
    draft.raise_item("enrolment-to-verify", (identity.id,), cause="possible-duplicate" if act.found else "")
