"""Settings of the registry: trust, environment, and the policies where sites legitimately differ."""

from typing import Literal

import msgspec

from insigne.ins.settings import ComparisonSettings

_DEFAULT_COMPARISON = ComparisonSettings()


class AuthoritySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An assigning authority the site knows.

    `name` is its namespace (HD-1); `oid` or `finess` its universal id (HD-2); `aliases` are other namespaces that
    mean the same. Identifiers sent under the name alone are joined to the universal id. An authority that is not
    `trusted` may add identities and identifiers, never overwrite what a trusted one said.
    """

    name: str
    oid: str = ""
    finess: str = ""
    aliases: tuple[str, ...] = ()
    trusted: bool = True


class RegistrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Policies of the registry.

    `overlay`: what to do with a message that changes several strict traits at once: `hold` them for a person, or
    `apply` them; a work item is raised either way. `overlay_threshold` is how many of the five strict traits must
    differ. `unknown_cancellation`: answer to the cancellation of an unknown movement, `reject` (AE 204) or `accept`
    (AA, finding). `verification_ko`: status after INSi answered KO about a qualified identity, `VALI` (the document
    check stays) or `PROV`; recalled, hence a setting. `incomplete_answer`: whether an INSi answer whose birth date is
    itself incomplete or lunar may be taken; refused as a date completed here is, until a source says otherwise.
    """

    overlay: Literal["hold", "apply"] = "hold"
    overlay_threshold: int = 2
    unknown_cancellation: Literal["reject", "accept"] = "reject"
    verification_ko: Literal["VALI", "PROV"] = "VALI"
    incomplete_answer: Literal["refuse", "accept"] = "refuse"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need to know of the site, resolved once from the settings.

    `comparison` is what a person may accept of INSi's traits. `universal` maps a namespace to the universal id it is
    joined to. `trusted` is None when no authorities are configured: every sender is then trusted equally. `own` are
    the authorities whose identities are edited here.
    """

    environment: Literal["production", "test"] = "production"
    universal: dict[str, str] = {}
    trusted: frozenset[str] | None = None
    own: frozenset[str] = frozenset()
    registry: RegistrySettings = RegistrySettings()
    comparison: ComparisonSettings = ComparisonSettings()

    def trusts(self, authority_key: str) -> bool:
        """Whether what this authority asserts may overwrite."""
        return self.trusted is None or authority_key in self.trusted


def policy(
    environment: Literal["production", "test"],
    authorities: tuple[AuthoritySettings, ...],
    registry: RegistrySettings,
    own: tuple[str, ...] = (),
    comparison: ComparisonSettings = _DEFAULT_COMPARISON,
) -> Policy:
    """The policy of a site. `own` are the authorities of `ri.authorities`, by any of their names: always trusted."""
    universal: dict[str, str] = {}
    trusted: set[str] = set()
    ours: set[str] = set(own)
    for authority in authorities:
        identifier = authority.oid or authority.finess
        for name in (authority.name, *authority.aliases):
            if identifier:
                universal[name] = identifier
        names = {authority.name, *authority.aliases, authority.oid, authority.finess} - {""}
        if authority.trusted:
            trusted |= names
        if names & ours:
            ours |= names
    return Policy(
        environment=environment,
        universal=universal,
        trusted=frozenset(trusted | ours) if authorities else None,
        own=frozenset(ours),
        registry=registry,
        comparison=comparison,
    )
