"""What the acts of a person share: the base, who acts, the identity named, and the Patient shown afterwards."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from insigne.access import Right
from insigne.access.document_copy import DocumentCopy
from insigne.access.users import User
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.app.logs import configure
from insigne.cli.acting import acting
from insigne.cli.common import Context, Exit, emit, fail
from insigne.cli.identity import fields, named
from insigne.cli.opening import PATIENCE, plainly
from insigne.cli.tables import print_fields
from insigne.exchange.desk import EntryRefused
from insigne.exchange.ports import Transaction
from insigne.fhir import Resource, merged_named, patient_of
from insigne.ins.cog import bundled_cog
from insigne.registry.acts import Act
from insigne.registry.decision import Fault, Refused, Subject
from insigne.registry.refusals import refused
from insigne.registry.source import Source
from insigne.registry.state import Identity

As = Annotated[str, typer.Option("--as", metavar="USER", help="Who acts; their secret is in INSIGNE_SECRET.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the history.")]
Seen = Annotated[
    int,
    typer.Option(
        "--if-version", metavar="N", min=0, help="Act only if the identity is still at this version (meta.versionId)."
    ),
]


@dataclass(frozen=True, slots=True)
class Desk:
    """A base that a person acts on."""

    context: Context
    base: Base
    user: User

    def named(self, text: str, *, itself: bool = False) -> Identity:
        """The standing identity that an argument names; ends the command when there is none (exit 1).

        With `itself` (a version of it was seen, or it is to be absorbed), not by one that was merged into it.
        """
        with self.base.store.read() as view:
            found = named(self.context, view, text, view.identity)
            if itself and merged_named(view, text, self.base.policy.universal):
                raise refused("merged", Fault.CONFLICT, Subject.PATIENT)
        return found

    def merged(self, text: str) -> Identity:
        """The merged identity that an argument names; ends the command when there is none, or several (exit 1)."""
        with self.base.store.read() as view:
            found = merged_named(view, text, self.base.policy.universal)
        if len(found) != 1:
            several = f"several merged identities have this identifier: {', '.join(one.id for one in found)}"
            fail(Exit.PROBLEMS, several if found else "no merged identity is known by that identifier")
        return found[0]

    def source(self) -> Source:
        """This person, now."""
        return Source(rfc3339_now(), self.user.author, "user", self.user.name, local=True)

    def act(self, *acts: Act, copy: DocumentCopy | None = None) -> str:
        """Do these acts, all or none, and keep the copy with them; the id of the identity concerned.

        Raises `Refused`.
        """
        return self.act_on(lambda _: acts, copy=copy)

    def act_on(self, decided: Callable[[Transaction], Sequence[Act]], *, copy: DocumentCopy | None = None) -> str:
        """As `act`, these acts being decided by what the base is in the transaction that does them."""
        source = self.source()
        with self.base.store.begin() as transaction:
            wanted = [(act, source) for act in decided(transaction)]
            decisions = self.base.registrar.act_within(transaction, wanted)
            if copy is not None:
                transaction.put_copy(copy)
            transaction.commit()
        return decisions[0].subject

    def patient(self, identity_id: str) -> Resource:
        """The Patient of an identity, as it is now."""
        with self.base.store.read() as view:
            identity = view.identity(identity_id)
            if identity is None:
                raise LookupError(f"identity {identity_id} was just acted on and is not stored")
            return patient_of(view.identity, identity, bundled_cog())

    def show(self, identity_id: str) -> None:
        """Print the Patient afterwards."""
        document = self.patient(identity_id)
        if self.context.json:
            emit(document)
        else:
            print_fields(fields(document))


@contextmanager
def at_desk(context: Context, name: str, right: Right) -> Iterator[Desk]:
    """The base, for the user `name` who must have the right (exit 2); what the rules refuse ends the command (exit 1).

    Acts are for the role `ri` (exit 2).
    """
    if "ri" not in context.config.roles:
        fail(Exit.USAGE, "roles: acts on identities are for the role ri; this process has not got it")
    configure("error")
    with plainly():
        base = open_base(context.loaded, wait=PATIENCE)
        try:
            yield Desk(context, base, acting(context, base.store, name, right))
        except Refused as barred:
            fail(Exit.PROBLEMS, barred.text)
        finally:
            base.close()


@contextmanager
def entering() -> Iterator[None]:
    """What the rules of entry refuse ends the command (exit 2), with every fault."""
    try:
        yield
    except EntryRefused as barred:
        fail(Exit.USAGE, str(barred))
