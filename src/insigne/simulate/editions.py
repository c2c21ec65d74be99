"""What the generator changes from one edition of PAM-FR to another (change logs of the PDFs of 2.3 to 2.11.2).

Second implementation on purpose: it shares nothing with the product's own editions, which are checked against it.
"""

from dataclasses import dataclass
from typing import Final

CHARSETS: Final = {"utf-8": "UNICODE UTF-8", "8859-1": "8859/1", "8859-15": "8859/15"}
"""Name on the command line → MSH-18."""

CODECS: Final = {"utf-8": "utf-8", "8859-1": "iso8859-1", "8859-15": "iso8859-15"}


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition. `number` is MSH-12.3.

    `ins`: the INS-NIR, ZFD-4 to 8, DOUT, FICT, HOMA and UTF-8 exist (2.10). `psychiatry`: ZFS exists (2.7).
    `consents`: ZFA-9 to 12 replace ZFA-4 to 8 (2.11). `latest`: MSH-21, class V, trust person in NK1-7 (2.11.2).
    `ward_in_preadmission`: PV1-3.1 is required in A05 and A38 (until 2.5).
    """

    number: str
    ins: bool = True
    psychiatry: bool = True
    consents: bool = False
    latest: bool = False
    ward_in_preadmission: bool = False

    @property
    def default_charset(self) -> str:
        """UTF-8 since it is allowed (2.10), ISO 8859-15 before."""
        return "utf-8" if self.ins else "8859-15"


EDITIONS: Final = {
    edition.number: edition
    for edition in (
        Edition("2.3", ins=False, psychiatry=False, ward_in_preadmission=True),
        Edition("2.4", ins=False, psychiatry=False, ward_in_preadmission=True),
        Edition("2.5", ins=False, psychiatry=False, ward_in_preadmission=True),
        Edition("2.7", ins=False),
        Edition("2.8", ins=False),
        Edition("2.9", ins=False),
        Edition("2.10"),
        Edition("2.11", consents=True, latest=True),
    )
}
