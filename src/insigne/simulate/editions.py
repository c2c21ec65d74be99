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
    """One edition, as what it has. `number` is MSH-12.3.

    `dmp`: ZFA in encounters (2.4). `psychiatry`: ZFS and ZFD-3 (2.7). `ins`: the INS-NIR, ZFD-4 to 8, DOUT, FICT and
    HOMA, UTF-8, given names of more than 30 characters (2.10). `latest`: ZFA-9 to 12, ZFA in ITI-30, ZFM-5, MSH-21,
    class V, trust person in NK1-7 (2.11 as of 2.11.2). `ward_in_preadmission`: PV1-3.1 is required in A05 and A38
    (until 2.5).
    """

    number: str
    dmp: bool = True
    psychiatry: bool = True
    ins: bool = False
    latest: bool = False
    ward_in_preadmission: bool = False

    @property
    def default_charset(self) -> str:
        """UTF-8 since it is allowed (2.10), ISO 8859-15 before."""
        return "utf-8" if self.ins else "8859-15"


EDITIONS: Final = {
    edition.number: edition
    for edition in (
        Edition("2.3", dmp=False, psychiatry=False, ward_in_preadmission=True),
        Edition("2.4", psychiatry=False, ward_in_preadmission=True),
        Edition("2.5", psychiatry=False, ward_in_preadmission=True),
        Edition("2.7"),
        Edition("2.8"),
        Edition("2.9"),
        Edition("2.10", ins=True),
        Edition("2.11", ins=True, latest=True),
    )
}
