"""Which edition a message is in: what MSH-12 says, unless the sender has one configured."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from insigne.hl7 import Location, Message
from insigne.pam.editions.load import Editions
from insigne.pam.findings import Finding, make_finding
from insigne.pam.profile import Edition

EDITIONS: Final = Editions()
NEWEST: Final = "2.11.2"

#: Other names under which an edition may be asked for. On the wire every 2.11.x says 2.11, and every 2.10.x says 2.10.
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2.11": NEWEST,
        "2.10.5": "2.10",
        "2.5-international": "PAM-2.5",
        **{f"HL7 {version}": f"HL7-{version}" for version in ("2.3.1", "2.4", "2.5", "2.5.1")},
    }
)
_BARE: Final = MappingProxyType({"2.5": "PAM-2.5", "2.5.1": "HL7-2.5.1", "2.4": "HL7-2.4", "2.3.1": "HL7-2.3.1"})
#: MSH-12 and configured edition that left nothing to say → edition. A feed has one.
_clean: dict[tuple[str, str | None], Edition] = {}
_MOST_CLEAN: Final = 256
_MSH_12: Final = Location("MSH", field=12)


class UnknownVersion(ValueError):  # noqa: N818 - named after the condition that the caller answers (AR 203)
    """An HL7 version that no edition covers: the message is to be answered AR 203 at MSH-12."""

    def __init__(self, version: str) -> None:
        self.version = version[:20]
        super().__init__(f"MSH-12.1: the HL7 version is not one of {', '.join(sorted(_BARE))}; send 2.5^FRA^2.11")


def edition(key: str) -> Edition:
    """Return an edition by its identifier or alias: "2.11" means 2.11.2.

    Raises ValueError naming the known ones.
    """
    found = ALIASES.get(key, key)
    if found not in EDITIONS:
        raise ValueError(f"edition {key!r} is not known; use one of {', '.join((*EDITIONS, *ALIASES))}")
    return EDITIONS[found]


def edition_of(message: Message, configured: str | None = None) -> tuple[Edition, list[Finding]]:
    """Return the edition of a message, and what MSH-12 leaves to say about it.

    `configured`, when the sender has one, wins over MSH-12. An unknown French extension is read as the newest edition.

    Raises UnknownVersion when MSH-12.1 is an HL7 version outside 2.3.1 to 2.5.1, or empty; ValueError when
    `configured` is not an edition.
    """
    declared = (message.header_field(12), configured)
    known = _clean.get(declared)
    if known is not None:
        return known, []
    chosen, findings = _choose(message, configured)
    if not findings and len(_clean) < _MOST_CLEAN:
        _clean[declared] = chosen
    return chosen, findings


def _choose(message: Message, configured: str | None) -> tuple[Edition, list[Finding]]:
    if configured is not None:
        chosen = edition(configured)
        return chosen, _departures(message, chosen) if chosen.french else []
    version = message.version
    if message.version_country:
        if version not in _BARE:
            raise UnknownVersion(version)
        if message.version_country == "FRA":
            return _french(message)
    if version not in _BARE:
        raise UnknownVersion(version)
    chosen = EDITIONS[_BARE[version]]
    if version != "2.5" or message.version_country:
        return chosen, []
    key = "V04.bare-french" if _says_french(message) else "V04.bare"
    return chosen, _listed(make_finding(key, chosen, _MSH_12))


def _french(message: Message) -> tuple[Edition, list[Finding]]:
    extension = message.version_extension
    key = ALIASES.get(extension, extension)
    known = key in EDITIONS and EDITIONS[key].french
    chosen = EDITIONS[key if known else NEWEST]
    return chosen, _departures(message, chosen)


def _departures(message: Message, chosen: Edition) -> list[Finding]:
    """Compare MSH-12 with what the chosen French edition wants there."""
    place = Location("MSH", field=12, component=3)
    extension = message.version_extension
    known = ALIASES.get(extension, extension)
    findings = []
    if message.version != chosen.hl7_version:
        findings.append(make_finding("V04.version", chosen, _MSH_12, expected=chosen.hl7_version))
    if message.version_country != "FRA":
        findings.append(make_finding("V04.country", chosen, Location("MSH", field=12, component=2)))
    elif not extension:
        findings.append(make_finding("V04.extension-missing", chosen, place))
    elif known not in EDITIONS or not EDITIONS[known].french:
        findings.append(make_finding("V04.extension", chosen, place))
    return _listed(*findings)


def _says_french(message: Message) -> bool:
    return message.value("MSH-17") == "FRA" or "IHE_FRANCE" in message.value("MSH-21.2")


def _listed(*findings: Finding | None) -> list[Finding]:
    return [finding for finding in findings if finding is not None]
