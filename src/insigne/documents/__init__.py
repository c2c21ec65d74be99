"""What an identity puts on documents: INS banner and Data Matrix, stamped PDF, pages in PDF/A, CDA R2.

Rules of this room:

* The matricule is written nowhere for an identity that is not qualified (EXI SI 08, EXI ID 29): `entitlement` is the
  one place that decides, and every builder asks it.
* Documents come from anywhere: sizes, pages and depths are bounded, nothing they name is fetched, and what cannot be
  handled is refused with its rule and the remedy (`errors.DocumentError`). No error quotes a patient.
* Bytes in, bytes out: no clock, no registry writes, no network. Only `cda.official` starts processes.

Sources: ANS, format of the INS Data Matrix v2.2; ISO/IEC 16022; RNIV EXI DIF 02; ANS CI-SIS « Structuration minimale
des documents de santé » 1.16.8; ISO 32000, ISO 19005-1.
"""
