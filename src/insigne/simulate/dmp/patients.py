"""What the DMP of each patient contains, for a person (a page in French) or a program (JSON).

- GET `/patients`: who has documents; `/patients/{OID|MATRICULE}` or `/patients/{MATRICULE}`: the documents of one;
- GET `/patients/{…}/documents/{uniqueId}`: the bytes of a document.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

import msgspec

from insigne.simulate.dmp.base import People
from insigne.simulate.dmp.store import DmpStore, Stored
from insigne.simulate.https import HttpReply, HttpRequest, error_reply, json_reply
from insigne.simulate.insi.national import Registered

PATH: Final = "/patients"

_STATUSES: Final = {"approved": "en vigueur", "deprecated": "remplacé", "deleted": "supprimé"}
_STYLE: Final = (
    "body{font-family:sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #bbb;padding:.4em;text-align:left;vertical-align:top}th{background:#eef}"
    ".deleted,.deprecated{color:#777}.note{background:#ffd;padding:.6em}"
)
_NOTE: Final = "DMP simulé : personnes fictives, aucune donnée de santé réelle."


class Listing:
    """Answers `/patients`."""

    def __init__(self, people: People, store: DmpStore) -> None:
        self._people = people
        self._store = store

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer a request under `/patients`: a page when the caller takes HTML, else JSON."""
        if http.method != "GET":
            return error_reply(405, "GET only")
        parts = [unquote(part) for part in http.path.removeprefix(PATH).strip("/").split("/") if part]
        page = "text/html" in http.headers.get("accept", "")
        token = next(iter(parse_qs(http.target.partition("?")[2]).get("token", [])), "")
        if not parts:
            return self._everybody(token) if page else json_reply({"patients": self._summaries()})
        person = self._person(parts[0])
        if person is None:
            return error_reply(404, "no such patient: /patients/OID|MATRICULE, or /patients/MATRICULE")
        documents = self._store.of_person(person.ins.number)
        if len(parts) == 1:
            return self._one(person, documents, token) if page else json_reply(self._summary(person, documents))
        if len(parts) == 3 and parts[1] == "documents":
            return self._content(parts[2], documents)
        return error_reply(404, "GET /patients, /patients/{…}, /patients/{…}/documents/{uniqueId}")

    def _person(self, text: str) -> Registered | None:
        """Find a patient by `OID|MATRICULE` or matricule, of 13 or 15 characters, current or past."""
        number = text.rpartition("|")[2]
        return self._people.base.by_matricule(number) or self._people.base.by_past_matricule(number)

    def _state(self, person: Registered) -> str:
        dossier = self._people.dossier(person)
        if dossier is None:
            return "none"
        return "closed" if dossier.closed else "open"

    def _summaries(self) -> list[dict[str, Any]]:
        found = ((self._people.base.by_matricule(number), count) for number, count in self._store.persons().items())
        return [
            {"ins": _ins(person), "dmp": self._state(person), "documents": count}
            for person, count in found
            if person is not None
        ]

    def _summary(self, person: Registered, documents: Iterable[Stored]) -> dict[str, Any]:
        listed = []
        for one in documents:
            shown = msgspec.structs.asdict(one)
            del shown["metadata"], shown["person"]
            shown["confidentiality"] = one.confidentiality.split()
            listed.append(shown)
        return {"ins": _ins(person), "dmp": self._state(person), "documents": listed}

    def _content(self, unique_id: str, documents: Iterable[Stored]) -> HttpReply:
        content = self._store.content(unique_id) if any(one.unique_id == unique_id for one in documents) else None
        return error_reply(404, "no such document") if content is None else HttpReply(200, content, "text/xml")

    def _everybody(self, token: str) -> HttpReply:
        rows = []
        for number, count in self._store.persons().items():
            person = self._people.base.by_matricule(number)
            if person is not None:
                link = _link(f"{PATH}/{quote(_ins(person), safe='')}", token, _ins(person))
                rows.append((link, escape(_name(person)), _DOSSIERS[self._state(person)], str(count)))
        table = _table(("INS", "Identité", "DMP", "Documents"), rows) if rows else "<p>Aucun document reçu.</p>"
        return _page("Patients", table)

    def _one(self, person: Registered, documents: Sequence[Stored], token: str) -> HttpReply:
        rows = []
        for one in documents:
            address = f"{PATH}/{quote(_ins(person), safe='')}/documents/{quote(one.unique_id, safe='')}"
            rows.append(
                (
                    _link(address, token, one.title),
                    escape(one.type_code),
                    f'<span class="{one.status}">{_STATUSES[one.status]}</span>',
                    escape(one.confidentiality),
                    escape(_moment(one.created)),
                    escape(one.structure),
                    f"{one.size} octets<br>SHA-1 {escape(one.hash)}",
                    escape(one.unique_id) + (f"<br>remplace {escape(one.replaces)}" if one.replaces else ""),
                )
            )
        heads = ("Titre", "Type", "Statut", "Confidentialité", "Créé", "Structure", "Taille", "Identifiant")
        head = f"<p>INS {escape(_ins(person))} — {_DOSSIERS[self._state(person)]}</p>"
        table = _table(heads, rows) if rows else "<p>Aucun document.</p>"
        return _page(_name(person), f"<p>{_link(PATH, token, 'Tous les patients')}</p>{head}{table}")


_DOSSIERS: Final = {"open": "DMP ouvert", "closed": "DMP fermé", "none": "pas de DMP"}


def _ins(person: Registered) -> str:
    return f"{person.ins.oid}|{person.ins.matricule}"


def _name(person: Registered) -> str:
    return f"{person.birth_name} {' '.join(person.given_names)}"


def _moment(text: str) -> str:
    """Write a moment of the metadata for a person: 2026-03-01 08:30 UTC."""
    for form, shown in (("%Y%m%d%H%M%S", "%Y-%m-%d %H:%M UTC"), ("%Y%m%d%H%M", "%Y-%m-%d %H:%M UTC")):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).strftime(shown)
        except ValueError:
            continue
    return text


def _link(address: str, token: str, text: str) -> str:
    query = f"?token={quote(token, safe='')}" if token else ""
    return f'<a href="{escape(address + query)}">{escape(text)}</a>'


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, content: str) -> HttpReply:
    text = (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)} — DMP simulé</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'<p class="note">{_NOTE}</p>{content}</body></html>'
    )
    return HttpReply(200, text.encode(), "text/html;charset=UTF-8")
