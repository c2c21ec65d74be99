"""What the téléservice refuses before it searches, in the order in which the simulator looks.

The order, and every code but `insi_24`, `desir_550` and `desir_560`, are the simulator's own: the real numbers are in
the vendors' package. Codes and subcodes that begin with `simu_` exist nowhere else and are there to be seen as such.
"""

import re
from typing import Final

from insigne.insi.wire import InsiFault, Operation, Request, SearchTraits, VitaleData

UNKNOWN_SUBCODE: Final = "simu_siram"
"""Stands for a subcode that no public source shows."""

CLIENT_NAMES: Final = frozenset({"INSI-AUTO", "INSI-MANU"})

_BIRTH_NAME: Final = re.compile(r"(?=.*[A-Z])(?![ \-])[A-Z '\-]+")
_GIVEN_NAME: Final = re.compile(r"(?=.*[A-Z])(?![ \-])[A-Z '\-]*[A-Z ]")
_BAD_MARKS: Final = re.compile(r"''|  |' | '|---")
_BIRTH_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CARD_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|")
_BIRTH_PLACE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}|")
_NUMBER: Final = re.compile(r"[0-9]{6}[AB0-9][0-9]{6}|")
_RANK: Final = re.compile(r"[1-9]?")
_IDAM_R: Final = "4"
_BAM_VERSIONS: Final = frozenset({"01_02", "1.0"})
_LPS_VERSIONS: Final = frozenset({"01_00", "1.0"})


def fault_of_certificate(client: str) -> InsiFault | None:
    """Return the fault of a certificate whose common name may not call (desir_560)."""
    if client in CLIENT_NAMES:
        return None
    return _fault(
        "desir_560",
        "Vous n’avez pas les droits suffisants pour appeler ce service",
        "Niveau d'accès insuffisant : le CN du certificat n'est ni INSI-AUTO ni INSI-MANU",
    )


def fault_of_software(request: Request, authorised: frozenset[str]) -> InsiFault | None:
    """Return the fault of a software whose authorisation number is unknown, or whose attribute R is not 4."""
    if request.context.idam in authorised and request.context.idam_r == _IDAM_R:
        return None
    return _fault(
        "desir_550",
        "Le logiciel utilisé n’est pas autorisé à appeler ce service",
        "Le numéro d'autorisation du logiciel (IDAM) est inconnu ou son attribut R n'est pas 4",
        subcode="siram_100",
    )


def fault_of_contexts(request: Request) -> InsiFault | None:
    """Return the fault of header blocks that the schemas require: both contexts, their version, COUVERTURE."""
    context = request.context
    if context.bam_version in _BAM_VERSIONS and context.lps_context_version in _LPS_VERSIONS and request.covered:
        return None
    return _simulated("simu_contexte", "ContexteBAM 01_02 avec COUVERTURE, et ContexteLPS 01_00, sont obligatoires")


def fault_of_traits(traits: SearchTraits, given_names: tuple[str, ...]) -> InsiFault | None:
    """Return the first fault of the criteria of WS_INS2: sex before the others."""
    if traits.sex not in ("M", "F"):
        return _fault("insi_24", "Les critères de recherche ne sont pas valides", "Le format du sexe est incorrect")
    if not _BIRTH_NAME.fullmatch(traits.birth_name) or _BAD_MARKS.search(traits.birth_name):
        return _simulated("simu_nom", "Le format du nom de naissance est incorrect")
    if not given_names or not all(_good_given_name(name) for name in given_names):
        return _simulated("simu_prenom", "Le format du prénom est incorrect")
    if not _BIRTH_DATE.fullmatch(traits.birth_date):
        return _simulated("simu_date", "Le format de la date de naissance est incorrect (AAAA-MM-JJ)")
    if not _BIRTH_PLACE.fullmatch(traits.birth_place):
        return _simulated("simu_lieu", "Le format du lieu de naissance est incorrect (code COG)")
    return None


def fault_of_card(card: VitaleData) -> InsiFault | None:
    """Return the first fault of the data of WS_INS1."""
    if not (card.holder or card.individual):
        return _simulated("simu_matricule", "Le matricule de l'ouvrant droit ou celui de l'individu est obligatoire")
    if not all(_NUMBER.fullmatch(number) for number in (card.holder, card.individual)):
        return _simulated("simu_matricule", "Le format d'un matricule est incorrect (13 caractères, clé à part)")
    if not _CARD_DATE.fullmatch(card.birth_date):
        return _simulated("simu_date", "Le format de la date de naissance est incorrect")
    if not _RANK.fullmatch(card.birth_rank):
        return _simulated("simu_rang", "Le format du rang de naissance est incorrect")
    return None


def fault_of_upstream(operation: Operation | None) -> InsiFault:
    """Return the technical fault of a search: insi_102 by traits, insi_101 by card."""
    code, search = ("insi_101", "par carte Vitale") if operation == "vitale" else ("insi_102", "par traits d'identité")
    return InsiFault(
        code,
        "siram_40",
        "Service momentanément indisponible, veuillez réessayer plus tard",
        f"Échec technique de la recherche {search}",
        role="Receiver",
        http_status=500,
    )


def fault_of_message(detail: str) -> InsiFault:
    """Return the fault of a message that is no call: not SOAP 1.2, unknown action, foreign body."""
    return _simulated("simu_message", detail)


def _good_given_name(name: str) -> bool:
    return bool(_GIVEN_NAME.fullmatch(name)) and not _BAD_MARKS.search(name) and "--" not in name


def _simulated(code: str, detail: str) -> InsiFault:
    return _fault(code, "La demande n’est pas valide (code propre au simulateur)", detail)


def _fault(code: str, text: str, detail: str, *, subcode: str = UNKNOWN_SUBCODE) -> InsiFault:
    return InsiFault(code, subcode, text, detail, role="Sender", http_status=500)
