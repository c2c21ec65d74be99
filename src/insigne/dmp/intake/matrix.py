"""Where MSSanté may send a document, by the flags that come with it: rows of data, and nothing but what they allow.

Every combination that no row has is an error (volet, « matrice de gestion des échanges MSSanté »). The ANS's own
example messages break its table; their rows are apart, `EXAMPLES`, taken or not by the setting `dmp.intake.matrix`.
No row of either mails to someone from whom the document is hidden.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from insigne.dmp.intake.codes import Code, IntakeRefused, refused
from insigne.dmp.model import Channel, Flags
from insigne.hl7 import Location

Choice = bool | None
"""Y, N, or either."""
Y: Final = True
N: Final = False
ANY: Final = None

Mode = Literal["examples", "specification"]


class Row(NamedTuple):
    """A combination that is allowed, and where it sends."""

    masked_professionals: Choice
    hidden_patient: Choice
    hidden_representatives: Choice
    secret_connection: Choice
    to_dmp: Choice
    to_professionals: bool
    to_patient: bool
    sends: tuple[Channel, ...]

    def admits(self, flags: Flags) -> bool:
        """Whether these flags are of this row."""
        return all(
            wanted is ANY or getattr(flags, name) is wanted
            for name, wanted in zip(self._fields[:-1], self[:-1], strict=True)
        )


SPECIFICATION: Final = (
    #   MASQUE_PS INV_PAT INV_REP SECRET DESTDMP PS PAT
    Row(N, N, N, ANY, ANY, Y, Y, ("mss-ps", "mss-patient")),
    Row(N, Y, N, ANY, ANY, Y, N, ("mss-ps",)),
    Row(ANY, N, ANY, N, N, N, Y, ("mss-patient",)),
)
"""The three rows of the volet. MODIF_CONF_CODE and the acknowledgements are either in each."""
EXAMPLES: Final = (
    Row(N, ANY, ANY, ANY, ANY, Y, N, ("mss-ps",)),  # MDM T02, T10 and T04 of version 2.1; example 2 of the guide
    Row(ANY, N, ANY, N, Y, N, Y, ("mss-patient",)),  # example 1 of the guide: DESTDMP is Y
)
"""What the ANS's own examples do and the table has not."""


def rows(mode: Mode) -> Sequence[Row]:
    """The rows that a site admits."""
    return SPECIFICATION if mode == "specification" else (*SPECIFICATION, *EXAMPLES)


def channels(flags: Flags, mode: Mode) -> tuple[Channel, ...]:
    """Where a document goes: the DMP when asked, and what the matrix says of MSSanté.

    Raises IntakeRefused (906) for flags that no row admits, and for a document that goes nowhere.
    """
    dmp: tuple[Channel, ...] = ("dmp",) if flags.to_dmp else ()
    if not flags.to_professionals and not flags.to_patient:
        if not dmp:
            raise refused(
                Code.OTHER,
                "no destination: DESTDMP, DESTMSSANTEPS and DESTMSSANTEPAT are all N",
                "aucune destination : DESTDMP, DESTMSSANTEPS et DESTMSSANTEPAT valent N",
                Location("OBX", field=5),
                "destination",
            )
        return dmp
    found = next((row for row in rows(mode) if row.admits(flags)), None)
    if found is None:
        raise _not_allowed()
    return (*dmp, *found.sends)


def _not_allowed() -> IntakeRefused:
    return refused(
        Code.OTHER,
        "this combination of flags is none of the MSSanté matrix: check who may see it and who is sent it",
        "cette combinaison de balises n’est pas prévue par la matrice MSSanté : vérifier restrictions et destinataires",
        Location("OBX", field=5),
        "matrix",
    )
