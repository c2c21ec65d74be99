"""The acts of persons over HTTP, wired to the base of a site."""

from insigne.api.acts_deps import ActsDeps
from insigne.app.base import Base
from insigne.config import ConfigError
from insigne.exchange.creation import own_authority
from insigne.ins.proof import ProofRules
from insigne.store.accounts import StoredUsers


def acts_of(base: Base) -> ActsDeps | None:
    """What the acts need, when this process is a référentiel d'identités with an authority of its own.

    Raises ConfigError for documents that cannot be graded as the settings say.
    """
    config = base.config
    authority = own_authority(config.ri.authorities, base.policy)
    if "ri" not in config.roles or authority is None:
        return None
    try:
        proofs = ProofRules.of(config.proof)
    except ValueError as error:
        raise ConfigError(f"proof.{error}") from None
    return ActsDeps(
        storage=base.store,
        read=base.store.read,
        registrar=base.registrar,
        authority=authority,
        policy=base.policy,
        proofs=proofs,
        insi=config.insi,
        people=StoredUsers(base.store, "http"),
        access=config.access,
        new_id=base.new_id,
    )
