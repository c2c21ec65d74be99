"""FHIR R4: the Patient of FR Core, and the few resources a read-only server answers with.

Rules of this room:

* Narrow builders, plain dictionaries: what is built here is what is served, nothing generic. A FHIR element is left out
  when it has no value, never sent empty.
* Pure but for the `lookup.Reader` it is given: no HTTP, no SQL, no clock.
* The INS of an identity is shown only while the identity is qualified (RNIV EXI SI 08), its birth date not completed.

Sources: FHIR R4 4.0.1; FR Core 2.2.0 (profiles `fr-core-patient` and `fr-core-patient-ins`); RNIV 1 v2.0.
"""

from insigne.fhir.lookup import Reader, family, merged_named, named, patient_of, resolve, split_token, survivor
from insigne.fhir.patient import patient
from insigne.fhir.resources import Resource, capability_statement, operation_outcome, searchset

__all__ = [
    "Reader",
    "Resource",
    "capability_statement",
    "family",
    "merged_named",
    "named",
    "operation_outcome",
    "patient",
    "patient_of",
    "resolve",
    "searchset",
    "split_token",
    "survivor",
]
