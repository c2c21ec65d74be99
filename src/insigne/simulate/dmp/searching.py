"""TD3.1 and TD3.3c as an establishment may use them: the reference of a document, and its logical deletion.

Sources: IHE ITI-18 (GetDocuments) and ITI-57; GIE SESAM-Vitale, PDT-INF-526, notes 5 and 9.
"""

import re
from typing import Final

from lxml import etree

from insigne.simulate.dmp import names, problems
from insigne.simulate.dmp.feeding import Registry
from insigne.simulate.dmp.lot import read_lot
from insigne.simulate.dmp.metadata import check_set
from insigne.simulate.dmp.names import QUERY, RIM
from insigne.simulate.dmp.problems import Problem
from insigne.simulate.dmp.soap import Call, Fault
from insigne.simulate.dmp.store import Stored
from insigne.simulate.dmp.vihf import Vihf

STATUSES: Final = {"approved": names.APPROVED, "deprecated": names.DEPRECATED, "deleted": names.DELETED}

_UNIQUE: Final = "$XDSDocumentEntryUniqueId"
_ENTRY: Final = "$XDSDocumentEntryEntryUUID"
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_KNOWN: Final = frozenset(
    {
        "14d4debf-8f97-4251-9a74-a90016b0af0d",
        "f26abbcb-ac74-4422-8a30-edb644bbc1a9",
        names.GET_DOCUMENTS,
    }
)


def search(call: Call, vihf: Vihf, registry: Registry) -> tuple[str, list[Problem]]:
    """Return the XML of the documents asked for by identifier, those of the caller's patient, or what is wrong.

    Raises Fault for what is no query.
    """
    query = call.body.find(f"{{{RIM}}}AdhocQuery")
    if call.body.tag != f"{{{QUERY}}}AdhocQueryRequest" or query is None:
        raise Fault("SimuMessage", "Le corps n’est pas une recherche (query:AdhocQueryRequest)")
    kind = (query.get("id") or "").removeprefix("urn:uuid:")
    if kind not in _KNOWN:
        return "", [Problem(problems.UNKNOWN_QUERY, "requête inconnue")]
    if kind != names.GET_DOCUMENTS:
        text = "avec un certificat d’établissement, seule la référence d’un document se cherche (GetDocuments)"
        return "", [Problem(problems.RIGHTS, text)]
    by_name = {slot.get("name"): _values(slot) for slot in query.iterfind(f"{{{RIM}}}Slot")}
    unique, entries = by_name.get(_UNIQUE, []), by_name.get(_ENTRY, [])
    if not unique and not entries:
        return "", [Problem(problems.NO_PARAMETER, f"{_UNIQUE} ou {_ENTRY} est obligatoire")]
    person = registry.people.past(vihf.patient)
    if person is None:
        return "", [Problem(problems.UNKNOWN_PATIENT, "l’INS n’est pas celui d’une personne connue")]
    held = [*map(registry.store.by_unique_id, unique), *map(registry.store.by_entry, entries)]
    found = [one for one in held if one is not None and one.person == person.ins.number]
    option = call.body.find(f"{{{QUERY}}}ResponseOption")
    leaf = option is None or option.get("returnType") != "ObjectRef"
    return "".join(_entry(one) if leaf else f'<rim:ObjectRef id="{one.entry_uuid}"/>' for one in found), []


def update(call: Call, vihf: Vihf, registry: Registry) -> list[Problem]:
    """Delete a document durably, or return why it is refused. Raises Fault for what is no update."""
    if vihf.mode != "INDIRECTE":
        return [Problem(problems.RIGHTS, f"{vihf.mode} ne permet pas de supprimer (TD3.3c)")]
    lot = read_lot(call)
    if len(lot.sets) != 1:
        return [Problem(problems.METADATA, "Il faut un lot de soumission et un seul (SubmissionSet)")]
    wrong = list(check_set(lot.sets[0], vihf.patient))
    changes = [one for one in lot.associations if one.kind == names.UPDATE_STATUS]
    if len(changes) != 1 or lot.entries:
        text = "seul un changement de statut (UpdateAvailabilityStatus) est permis à un certificat d’établissement"
        return [*wrong, Problem(problems.RIGHTS, text)]
    change = changes[0]
    if change.slots.get("NewStatus") != (names.DELETED,):
        wrong.append(Problem(problems.RIGHTS, "le seul nouveau statut permis est Deleted (TD3.3c)"))
    if change.source != lot.sets[0].id:
        wrong.append(Problem(problems.METADATA, "l’association ne part pas du lot de soumission"))
    held = registry.store.by_entry(change.target)
    wrong += _refusals(held, change.slots.get("OriginalStatus", ()), vihf, registry)
    if wrong or held is None:
        return wrong
    unique = lot.sets[0].externals[names.SET_UNIQUE]
    if registry.store.has_submission(unique):
        return [Problem(problems.DUPLICATE, "uniqueId du lot déjà présent")]
    registry.store.delete(held.unique_id, unique, registry.now.isoformat(timespec="milliseconds"))
    return []


def _refusals(held: Stored | None, original: tuple[str, ...], vihf: Vihf, registry: Registry) -> list[Problem]:
    person = registry.people.past(vihf.patient)
    if held is None:
        return [Problem(problems.UNRESOLVED, "le document désigné (entryUUID) n’existe pas")]
    if person is None or held.person != person.ins.number:
        return [Problem(problems.OTHER_PATIENT, "le document désigné est celui d’un autre patient")]
    if held.structure != vihf.structure:
        return [Problem(problems.RIGHTS, "une structure ne supprime que les documents qu’elle a déposés")]
    if held.status == "deleted":
        return [Problem(problems.UPDATE, "le document est déjà supprimé")]
    if original != (STATUSES[held.status],):
        return [Problem(problems.UPDATE, "OriginalStatus n’est pas le statut actuel du document")]
    return []


def _entry(one: Stored) -> str:
    element = etree.fromstring(one.metadata)
    element.set("status", STATUSES[one.status])
    return etree.tostring(element, encoding="unicode")


def _values(slot: etree._Element) -> list[str]:
    listed = slot.iterfind(f"{{{RIM}}}ValueList/{{{RIM}}}Value")
    return [text.replace("''", "'") for one in listed for text in _QUOTED.findall(one.text or "")]
