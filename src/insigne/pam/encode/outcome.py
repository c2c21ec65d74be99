"""What comes of encoding a notice for one receiver: a message, something a person must do, or nothing to tell."""

from dataclasses import dataclass

from insigne.pam.findings import Finding


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message ready to send, without framing. `event` is MSH-9, such as "ADT^A28^ADT_A05".

    `left_out` names the optional fields whose content the edition refuses, left out so that the rest may go.
    """

    raw: bytes
    event: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing may be sent: a person must act.

    `reason_code` is one of docs/emission.md. `text` and `text_fr` say what happened and what the users of the receiving
    system must do by hand; they hold local identifiers, never a trait. `findings` are the errors of the validator when
    that is the reason. `blocking`: later messages about the same patients would be misunderstood until it is settled.
    """

    reason_code: str
    text: str
    text_fr: str
    findings: tuple[Finding, ...] = ()
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """This receiver has nothing to be told. `reason_code` is one of docs/emission.md."""

    reason_code: str


Outcome = Encoded | Withheld | Nothing
