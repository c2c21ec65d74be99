"""Invitations: one token, one use, for a time."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from insigne.access.invitations import (
    MOST_ATTEMPTS,
    Invitation,
    InvitationState,
    generate_invitation,
    invitation_hash,
)

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
INVITATION = Invitation(
    id="I1", token_hash="0" * 64, created=NOW, expires=NOW + timedelta(hours=1), author="user:claire"
)


def test_the_token_in_an_address_leads_to_what_is_kept_and_is_not_kept():
    text, kept = generate_invitation(bytes(range(32)))
    assert invitation_hash(text) == kept
    assert text not in kept


@pytest.mark.parametrize("text", ["", "short", "é" * 43, "a" * 44, "a" * 43 + "\n", "../" + "a" * 40])
def test_what_has_not_the_shape_of_a_token_leads_nowhere(text):
    assert invitation_hash(text) is None


@pytest.mark.parametrize(
    ("changes", "moment", "state"),
    [
        ({}, NOW, InvitationState.OPEN),
        ({}, NOW + timedelta(hours=1), InvitationState.EXPIRED),
        ({"used": NOW, "identity": "A"}, NOW, InvitationState.USED),
        ({"used": NOW, "identity": "A"}, NOW + timedelta(days=9), InvitationState.USED),
        ({"attempts": MOST_ATTEMPTS - 1}, NOW, InvitationState.OPEN),
        ({"attempts": MOST_ATTEMPTS}, NOW, InvitationState.EXHAUSTED),
    ],
)
def test_an_invitation_is_open_once_for_a_time_and_for_so_many_attempts(changes, moment, state):
    assert replace(INVITATION, **changes).state(moment) is state
