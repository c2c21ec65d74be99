"""Invitations as rows (`access.invitations`)."""

from insigne.access.invitations import Invitation
from insigne.store import statements
from insigne.store.moments import moment, rfc3339
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer


class InvitationReader(Reader):
    """Invitations, as both transactions and views read them."""

    def invitation(self, token_hash: str) -> Invitation | None:
        """See `InvitationTransaction.invitation`."""
        found = self.select(statements.INVITATION, (token_hash,))
        return _invitation(found[0]) if found else None

    def invitations(self, *, limit: int = 100, after: str = "") -> list[Invitation]:
        """Invitations, newest first, at most `limit`; `after` is the id of the last one of the page before."""
        sql = statements.INVITATIONS + (statements.INVITATIONS_BEFORE if after else "") + statements.INVITATIONS_ORDER
        return [_invitation(row) for row in self.select(sql, (after, limit) if after else (limit,))]


class InvitationWriter(InvitationReader, Writer):
    """What a write transaction adds."""

    def put_invitation(self, invitation: Invitation) -> None:
        """See `InvitationTransaction.put_invitation`."""
        row = (
            invitation.id,
            invitation.token_hash,
            rfc3339(invitation.created),
            rfc3339(invitation.expires),
            invitation.author,
            invitation.label,
            invitation.attempts,
            None if invitation.used is None else rfc3339(invitation.used),
            invitation.identity,
        )
        self.execute(statements.PUT_INVITATION, row)


def _invitation(row: Row) -> Invitation:
    identifier, token_hash, created, expires, author, label, attempts, used, identity = row
    return Invitation(
        id=identifier,
        token_hash=token_hash,
        created=moment(created),
        expires=moment(expires),
        author=author,
        label=label,
        attempts=attempts,
        used=None if used is None else moment(used),
        identity=identity,
    )
