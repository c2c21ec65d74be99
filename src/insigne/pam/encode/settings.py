"""Settings of one subscription: the dialect of a receiver and what it wants to be told."""

from typing import Literal

import msgspec

Unsupported = Literal["hold", "a31", "a08", "drop"]


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One change to what is sent, applied in order before the message is validated.

    `path` is a segment ("PD1"), a field ("PV1-10") or a component ("PID-13.4"), every repetition of it; `events` limits
    the rule to these events. `drop` empties it, `constant` writes `value`, `map` replaces the codes of `codes` and,
    when `value` is set, any other one by it. `rename-authority` has no path: the authority whose universal id or
    namespace is `authority` is written with `namespace`, `universal_id` and `universal_id_type`.
    """

    action: Literal["drop", "constant", "map", "rename-authority"]
    path: str = ""
    value: str = ""
    codes: dict[str, str] = {}
    events: tuple[str, ...] = ()
    authority: str = ""
    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""


class SubscriptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one receiver is told and how it is written.

    `edition` is one of docs/editions.md. `charset` is written in MSH-18; text that it cannot hold is held for a person
    or, with `unencodable = "transliterate"`, written without what it cannot. `application` and `facility` are MSH-5 and
    MSH-6 (by default the name of the destination), `sending_application` and `sending_facility` MSH-3 and MSH-4. Times
    that we give are written in `time_zone`.

    `authorities` and `identifier_types` limit the identifiers it sees (by universal id or namespace, by table 0203;
    empty: all); `domains` the identities, by the authority that owns them; `sites` the stays, by the facility or the
    ward of one of their movements. `ins` says whether it may receive the INS. `events` limits what it is told (empty:
    all that its edition has); `unsupported` says what to do with an event it does not take: `hold` it for a person,
    send an `a31` (or an `a08`, to plain HL7 receivers) instead, or `drop` it.

    With `echo`, it is also told what it said itself, that is, what came from its `application` and `facility`.

    `given_names`: XPN-3 is the whole `list` of birth given names, as France wants, or those `further` than the first.
    `reliability`: PID-32 is `computed` (PROV or VALI and the attributes) or, when what was received says something
    else, `relayed`. `rules` change fields. `relay_segments` names segments ("IN1"), and fields that we leave empty
    ("PV1-21"), to copy from the message that caused the event.
    """

    edition: str = "2.11"
    charset: Literal["utf-8", "iso8859-1", "iso8859-15", "ascii"] = "utf-8"
    unencodable: Literal["hold", "transliterate"] = "hold"
    sending_application: str = "INSIGNE"
    sending_facility: str = "INSIGNE"
    application: str = ""
    facility: str = ""
    processing_id: Literal["P", "T", "D"] = "P"
    time_zone: str = "Europe/Paris"
    authorities: tuple[str, ...] = ()
    identifier_types: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    ins: bool = True
    events: tuple[str, ...] = ()
    unsupported: dict[str, Unsupported] = {}
    echo: bool = False
    given_names: Literal["list", "further"] = "list"
    reliability: Literal["computed", "relayed"] = "computed"
    rules: tuple[FieldRule, ...] = ()
    relay_segments: tuple[str, ...] = ()
