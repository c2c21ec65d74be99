"""The desk behind the page: invitations looked up, and one identity created from each."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from insigne.access.invitations import Invitation, InvitationState, invitation_hash
from insigne.exchange.apply import Registrar
from insigne.ins.dates import BirthDate
from insigne.registry.acts import CreateIdentity, PriorSearch, RaiseEnrolment
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier
from insigne.web.enrolment.form import Person
from insigne.web.enrolment.ports import EnrolmentStorage, EnrolmentTransaction, Reader

#: Seconds that a person waits for other writers of the base.
_PATIENCE: Final = 5.0
#: Identities that each part of the prior search names at most: a professional reads them.
_MOST_FOUND: Final = 50
#: Letters of a name in the prior search (RNIV: at most three).
_LETTERS: Final = 3
#: The counter of local numbers, one an authority.
_COUNTER: Final = "local-number"


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
        with _Ended(self._storage.begin(_PATIENCE)) as transaction:
            found = self._usable(transaction.invitation(invitation.token_hash))
            if found is not None:
                transaction.put_invitation(replace(found, attempts=found.attempts + 1))
                transaction.commit()

    def enrol(self, invitation: Invitation, person: Person) -> bool:
        """Create the identity and use the invitation, together; False if it was used or ended meanwhile.

        Of two submissions at once, one holds the write lock first and the other finds the invitation used.
        """
        search = self._prior_search(person)
        now = self._now()
        time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        source = Source(time, f"enrolment:{invitation.id}", "invitation", invitation.id, local=True)
        with _Ended(self._storage.begin(_PATIENCE)) as transaction:
            found = self._usable(transaction.invitation(invitation.token_hash))
            if found is None:
                return False
            identifier = self._number(transaction)
            create = CreateIdentity(identifier, person.traits, person.details, search, reason="enrolment")
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

    def _prior_search(self, person: Person) -> PriorSearch:
        """The compulsory search, by birth date and the first letters of either name (RNIV 1 §3.1.1)."""
        born = BirthDate.parse(person.traits.birth_date or "").iso()
        name = (person.traits.birth_name or "")[:_LETTERS]
        given = (person.traits.first_given_name or "")[:_LETTERS]
        with self._reader() as view:
            alike = [
                *view.search(born, name=name, limit=_MOST_FOUND),
                *view.search(born, given=given, limit=_MOST_FOUND),
            ]
        found = tuple(sorted({identity.id for identity in alike}))
        return PriorSearch((("birth_date", born), ("name", name), ("given", given)), found)

    def _number(self, transaction: EnrolmentTransaction) -> Identifier:
        """A local number that nobody has."""
        while True:
            number = transaction.next_number(f"{_COUNTER}:{self._authority.key}")
            identifier = Identifier("PI", self._authority, str(number))
            if not transaction.holders(identifier.key):
                return identifier


class _Ended:
    """A transaction given up at the end of its block unless it was committed."""

    def __init__(self, transaction: EnrolmentTransaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> EnrolmentTransaction:
        return self._transaction

    def __exit__(self, *_: object) -> None:
        self._transaction.rollback()
