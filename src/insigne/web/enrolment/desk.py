"""The desk behind the page: invitations looked up, and one identity created from each."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from insigne.access.invitations import Invitation, InvitationState, invitation_hash
from insigne.exchange.apply import Registrar
from insigne.exchange.creation import next_identifier, prior_search
from insigne.registry.acts import CreateIdentity, RaiseEnrolment
from insigne.registry.source import Source
from insigne.registry.values import Authority
from insigne.web.enrolment.form import Person
from insigne.web.enrolment.ports import EnrolmentStorage, Reader

#: Seconds that a person waits for other writers of the base.
_PATIENCE: Final = 5.0


class Desk:
    """Opens invitations, and uses each once. `now` is an aware present; methods are called from several threads."""

    def __init__(
        self,
        storage: EnrolmentStorage,
        reader: Reader,
        registrar: Registrar,
        authority: Authority,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._reader = reader
        self._registrar = registrar
        self._authority = authority
        self._now = now
        # What an ill-shaped token is looked up by, so that it costs what an unknown one costs; nobody knows it.
        self._nothing = secrets.token_hex(32)

    def opened(self, token: str) -> Invitation | None:
        """The invitation of a token, if it may be used now; one lookup, whatever the token."""
        with self._reader() as view:
            return self._usable(view.invitation(invitation_hash(token) or self._nothing))

    def refused(self, invitation: Invitation) -> None:
        """Count an entry that was wrong."""
        with self._storage.begin(_PATIENCE) as transaction:
            found = self._usable(transaction.invitation(invitation.token_hash))
            if found is not None:
                transaction.put_invitation(replace(found, attempts=found.attempts + 1))
                transaction.commit()

    def enrol(self, invitation: Invitation, person: Person) -> bool:
        """Create the identity and use the invitation, together; False if it was used or ended meanwhile.

        Of two submissions at once, one holds the write lock first and the other finds the invitation used.
        """
        traits = person.traits
        now = self._now()
        time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        source = Source(time, f"enrolment:{invitation.id}", "invitation", invitation.id, local=True)
        with self._storage.begin(_PATIENCE) as transaction:
            found = self._usable(transaction.invitation(invitation.token_hash))
            if found is None:
                return False
            with self._reader() as view:  # nobody creates the same person between the search and this
                search, _ = prior_search(
                    view, traits.birth_name or "", traits.first_given_name or "", traits.birth_date or ""
                )
            identifier = next_identifier(transaction, self._authority)
            create = CreateIdentity(identifier, traits, person.details, search, reason="enrolment")
            [created] = self._registrar.act_within(transaction, [(create, source)])
            task = RaiseEnrolment(created.subject, found=bool(search.found))
            self._registrar.act_within(transaction, [(task, source)])
            transaction.put_invitation(replace(found, used=now, identity=created.subject))
            transaction.commit()
        return True

    def _usable(self, invitation: Invitation | None) -> Invitation | None:
        if invitation is None or invitation.state(self._now()) is not InvitationState.OPEN:
            return None
        return invitation
