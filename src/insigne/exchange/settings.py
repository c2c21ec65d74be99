"""Settings of the exchange: who sends us messages, and what each sender is granted."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1)]
RulePolicy = Literal["ignore", "warn", "reject"]


class QueryGrant(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a system may ask of us by PIX and PDQ queries."""

    access: Literal["trusted", "allow", "refuse"] = "trusted"
    """Who is answered: with `trusted`, a peer with a client certificate, or on this machine; with `allow`, any."""
    authorities: tuple[str, ...] = ()
    """Authorities whose identifiers it may ask by and see, by name or universal id; empty: all."""
    ins: bool = True
    """Whether it is told the INS, of those who are qualified."""


class SenderSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system that sends us messages, recognised by MSH-3 and MSH-4; an empty one matches any.

    The first sender that matches is taken. A message that matches none has the default of every setting.
    """

    application: str = ""
    facility: str = ""
    certificates: tuple[str, ...] = ()
    """Names or fingerprints of the client certificates that may send as this system; empty: any."""
    edition: str = ""
    """The edition its messages are read in, whatever MSH-12 says."""
    charset: str = ""
    """The codec its bytes are really in, whatever MSH-18 says (utf-8, latin-1, iso8859-15, cp1252)."""
    fallback_charset: str = "utf-8"
    """The codec tried when MSH-18 is empty."""
    rules: dict[str, RulePolicy] = {}
    """What to do on a finding of the validator, by rule: `ignore`, `warn` (the default) or `reject`."""
    warnings: bool = False
    """Whether its acknowledgements carry the warnings (ERR of severity W)."""
    a08: Literal["reject", "update", "ignore"] = "reject"
    """A08 in a French edition: AR 201, treated as A31, or ignored with AA."""
    unknown_event: Literal["reject", "ignore"] = "reject"
    """An event outside PAM: AR 201, or ignored with AA."""
    unknown_cancellation: Literal["reject", "accept"] = "reject"
    """The cancellation of an unknown movement: AE 204, or AA with a finding."""
    application_answers: str = ""
    """Enhanced mode: the destination its application acknowledgements (AA, AE, AR) are sent to, when MSH-16 wants them;
    it is then told CA as soon as a message is kept. Empty: one answer says both, CA, CE or CR."""
    queries: QueryGrant = QueryGrant()


class ExchangeSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How messages are taken in."""

    duplicate_window_days: Count = 30
    """How long a control id (MSH-10) is remembered for its sender."""
    processing_ids: tuple[Literal["P", "T", "D"], ...] = ()
    """The MSH-11 accepted; empty: P in production, all in a test environment."""
    batch: Count = 64
    """The most messages committed together."""
    queue: Count = 4096
    """The most messages waiting to be committed; more are answered AR at once."""
    query_page: Count = 50
    """The most people in one answer to a PDQ; the rest is asked for by continuation."""
    query_most: Count = 500
    """The most people a PDQ may find; beyond, it is refused: it does not tell people apart."""
    lock_wait_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """How long messages wait for another writer of the base before they are answered AR."""
