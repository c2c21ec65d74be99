"""A row of a table as a command, and what there is to say about it. Pure."""

from collections.abc import Mapping as Row
from datetime import date
from typing import Literal

import msgspec
from msgspec.structs import replace

from insigne.exchange.load.mapping import DATE_FIELDS, Mapping
from insigne.exchange.load.table import TableRow
from insigne.ins.entry import enter_traits
from insigne.ins.matricule import check_matricule, compact, nature_of
from insigne.ins.traits import Sex, StrictTraits
from insigne.registry.commands import DetailsAssertion, Patient, RecordPatient, TraitsAssertion
from insigne.registry.values import Address, Identifier, Ins, Telecom

_TRAITS = ("birth_name", "first_given_name", "given_names", "birth_date", "sex", "birth_place")
_DETAILS = (
    "used_name",
    "used_given_name",
    "title",
    "mother_name",
    "nationality",
    "language",
    "death_date",
    "proof",
    "proof_expiry",
)
_STATUSES = ("PROV", "VALI")
_FAULTS = {
    "fields": ("has not as many fields as the header", "n’a pas autant de champs que l’en-tête"),
    "too-long": ("is too long, or has a quote that is not closed", "est trop longue, ou un guillemet n’est pas fermé"),
}


class RowFinding(msgspec.Struct, frozen=True):
    """Something to say about a row: a stable rule, a field, two sentences without the value."""

    row: int
    rule: str
    severity: Literal["error", "warning"]
    field: str
    message: str
    message_fr: str


class LoadRow(msgspec.Struct, frozen=True):
    """A row read: its number in the file (the first after the header is 2), and the command, None when refused."""

    number: int
    command: RecordPatient | None
    findings: tuple[RowFinding, ...]


class RowReader:
    """Reads rows. `ours`: the authorities (names and keys) whose identities are entered here; `today` bounds dates."""

    def __init__(self, mapping: Mapping, ours: frozenset[str], today: date) -> None:
        self._mapping = mapping
        self._today = today
        first = mapping.identifiers[0].issuer
        is_ours = not ours.isdisjoint({first.key, first.namespace})
        self._normalises = mapping.normalise == "always" or (mapping.normalise == "ours" and is_ours)

    def read(self, table_row: TableRow) -> LoadRow:
        """The command of a row."""
        number, row = table_row.number, table_row.values
        findings: list[RowFinding] = []
        if table_row.fault:
            return LoadRow(number, None, (RowFinding(number, table_row.fault, "error", "", *_FAULTS[table_row.fault]),))
        values = self._values(number, row, findings)
        identifiers = self._identifiers(number, row, findings)
        traits, completed = self._traits(number, values, findings)
        refused = not identifiers or any(one.severity == "error" for one in findings)
        if refused:
            return LoadRow(number, None, tuple(findings))
        reliability = tuple(code for code in (values.get("status", ""), *values.get("attributes", "").split()) if code)
        patient = Patient(
            identifiers=identifiers,
            ins=self._ins(number, values, findings),
            reliability=reliability or ("PROV",),
            traits=TraitsAssertion(**{name: getattr(traits, name) or None for name in _TRAITS}),
            details=_details(values, completed=completed),
        )
        return LoadRow(number, RecordPatient(patient), tuple(findings))

    def _values(self, number: int, row: Row[str, str], findings: list[RowFinding]) -> dict[str, str]:
        """The columns by our names, dates and codes read; what cannot be read is told and left out."""
        mapping, values = self._mapping, dict[str, str]()
        for field, column in mapping.columns.items():
            text = (row.get(column) or "").strip()
            if not text:
                continue
            if field in DATE_FIELDS:
                day = mapping.date(text)
                if day is None:
                    wanted = mapping.date_format
                    findings.append(
                        self._broken(number, "date", field, f"is not written {wanted}", f"n’est pas écrite {wanted}")
                    )
                    continue
                text = day
            elif field == "sex":
                text = self._sex(number, text, findings)
            elif field == "status" and text.upper() not in _STATUSES:
                findings.append(self._broken(number, "status", field, "is not PROV nor VALI", "n’est ni PROV ni VALI"))
                continue
            values[field] = text
        return values

    def _sex(self, number: int, text: str, findings: list[RowFinding]) -> str:
        found = self._mapping.sexes.get(text) or (text if text in set(Sex) else None)
        if found is None:
            remedy = "is none of the codes of the table sexes", "n’est pas un code de la table sexes"
            findings.append(self._broken(number, "sex", "sex", *remedy))
            return ""
        return found

    def _identifiers(self, number: int, row: Row[str, str], findings: list[RowFinding]) -> tuple[Identifier, ...]:
        found = []
        for rank, one in enumerate(self._mapping.identifiers):
            value = (row.get(one.column) or "").strip()
            if value:
                found.append(Identifier(one.type, one.issuer, value))
            elif rank == 0:
                texts = "is missing: the row names nobody", "manque : la ligne ne désigne personne"
                findings.append(RowFinding(number, "identifier", "error", one.column, *texts))
        return tuple(found)

    def _traits(self, number: int, values: Row[str, str], findings: list[RowFinding]) -> tuple[StrictTraits, bool]:
        """The strict traits, entry rules told; and whether the birth date was completed here."""
        typed = StrictTraits(**{name: values.get(name, "") for name in _TRAITS})
        entry = enter_traits(typed, self._today)
        told = {one.field for one in findings}
        if self._mapping.entry == "warn":  # that a column does not exist is known, and the same for every row
            told |= set(_TRAITS) - set(self._mapping.columns)
        findings += [
            self._broken(number, f"entry-{error.rule}", error.field, error.remedy, error.message_fr)
            for error in entry.errors
            if error.field not in told
        ]
        findings += (
            RowFinding(number, remark.code, "warning", "", remark.message, remark.message_fr)
            for remark in entry.remarks
        )
        return (entry.traits, entry.date_completed) if self._normalises else (typed, False)

    def _ins(self, number: int, values: Row[str, str], findings: list[RowFinding]) -> tuple[Ins, ...]:
        text = values.get("ins", "")
        if not text:
            return ()
        matricule, oid = compact(text), values.get("ins_oid", "")
        findings += (
            RowFinding(number, remark.code, "warning", "ins", remark.message, remark.message_fr)
            for remark in check_matricule(matricule)
        )
        if nature_of(oid) is None:
            texts = "is not one of the INS: the INS is left out", "n’est pas un OID de l’INS : l’INS est ignorée"
            findings.append(RowFinding(number, "ins-oid", "warning", "ins_oid", *texts))
            return ()
        return (Ins(matricule, oid),)

    def _broken(self, number: int, rule: str, field: str, message: str, message_fr: str) -> RowFinding:
        """What breaks an entry rule: refuses the row, or not, as the mapping says."""
        severity: Literal["error", "warning"] = "error" if self._mapping.entry == "reject" else "warning"
        return RowFinding(number, rule, severity, field, message, message_fr)


def _details(values: Row[str, str], *, completed: bool) -> DetailsAssertion:
    plain = msgspec.convert({name: values[name] for name in _DETAILS if name in values}, DetailsAssertion)
    address = Address(
        use="H",
        street=values.get("street", ""),
        complement=values.get("complement", ""),
        city=values.get("city", ""),
        postal_code=values.get("postal_code", ""),
        country=values.get("country", ""),
    )
    telecoms = (
        *(Telecom("PRN", "PH", values[name]) for name in ("phone",) if name in values),
        *(Telecom("PRN", "CP", values[name]) for name in ("mobile",) if name in values),
        *(Telecom("NET", "Internet", values[name]) for name in ("email",) if name in values),
    )
    return replace(
        plain,
        addresses=(address,) if address != Address(use="H") else None,
        telecoms=telecoms or None,
        birth_date_corrected="Y" if completed else None,
        death_indicator="Y" if "death_date" in values else None,
    )
