"""What one decision did to one identity or one stay, as far as receivers may have to know."""

from msgspec.structs import asdict

from insigne.pam.encode.notice import CareMode
from insigne.registry import events as ev
from insigne.registry.state import StayHeader
from insigne.registry.values import Details, Identifier, LegalCareMode, Traits

_UPDATES = (ev.TraitsChanged, ev.DetailsChanged, ev.StatusChanged, ev.ProofRecorded, ev.ProofVoided)
_ABOUT_INS = (
    *(ev.InsRecorded, ev.InsWithdrawn, ev.InsContested),
    *(ev.StatusChanged, ev.TraitsChanged, ev.DetailsChanged),
)
#: What is told in another way than by an empty field.
_NOT_CLEARED = frozenset({"legal_care_modes", "last_update", "last_update_facility"})


class IdentityChanges:
    """The events of one identity; ranks are those of the events, -1 for none."""

    __slots__ = ("_cleared", "about_ins", "added", "care", "created", "last", "retired", "unmerged", "updated")

    def __init__(self) -> None:
        self.created = -1
        self.last = -1
        self.about_ins = -1
        self.updated = False
        self.unmerged = False
        self.added: list[Identifier] = []
        self.retired: list[tuple[int, Identifier, str]] = []
        self.care: tuple[CareMode, ...] = ()
        self._cleared: dict[str, bool] = {}

    @property
    def cleared(self) -> tuple[str, ...]:
        """The fields of traits and details that were known before and are empty now."""
        return tuple(name for name, empty in self._cleared.items() if empty)

    def note(self, rank: int, event: ev.AnyEvent) -> None:
        """Take an event of the identity."""
        self.last = rank
        if isinstance(event, _UPDATES):
            self.updated = True
        if self.about_ins < 0 and isinstance(event, _ABOUT_INS):
            self.about_ins = rank
        match event:
            case ev.IdentityCreated(details=details):
                self.created = rank
                self.care = tuple(CareMode("INSERT", mode) for mode in details.legal_care_modes)
            case ev.IdentifierAdded(identifier=identifier):
                self.added.append(identifier)
            case ev.IdentifierRetired(identifier=identifier, reason=reason):
                self.retired.append((rank, identifier, reason))
            case ev.InsRecorded():
                self.updated = True
            case ev.MergeUndone():
                self.unmerged = True
            case ev.TraitsChanged(before=traits, after=new_traits):
                self._cleared.update(_emptied(traits, new_traits))
            case ev.DetailsChanged(before=details, after=new_details):
                self._cleared.update(_emptied(details, new_details))
                self.care += care_changes(details.legal_care_modes, new_details.legal_care_modes)


class StayChanges:
    """The events of one stay; ranks are those of the events, -1 for none."""

    __slots__ = ("_cleared", "header", "movements", "reassigned", "renumbered")

    def __init__(self) -> None:
        self.header = -1
        self.movements: list[tuple[int, ev.EncounterEvent]] = []
        self.reassigned: list[tuple[int, str]] = []
        self.renumbered: list[tuple[int, Identifier]] = []
        self._cleared: dict[str, bool] = {}

    @property
    def cleared(self) -> tuple[str, ...]:
        """The fields of the header that were known before and are empty now."""
        return tuple(name for name, empty in self._cleared.items() if empty)

    def note(self, rank: int, event: ev.AnyEvent) -> None:
        """Take an event of the stay."""
        match event:
            case ev.EncounterChanged(before=before, after=after):
                self.header = rank
                self._cleared.update(_emptied(before, after))
            case ev.EncounterReassigned(before=owner):
                self.reassigned.append((rank, owner))
            case ev.AccountChanged(before=None):
                self.header = rank
            case ev.AccountChanged(before=Identifier() as account):
                self.renumbered.append((rank, account))
            case ev.MovementRecorded() | ev.MovementCorrected() | ev.MovementCancelled():
                self.movements.append((rank, event))


def _emptied(before: Traits | Details | StayHeader, after: Traits | Details | StayHeader) -> dict[str, bool]:
    """The fields that changed, by whether they are empty now; those of a part as "part.field"."""
    found: dict[str, bool] = {}
    old, new = asdict(before), asdict(after)
    for name, value in old.items():
        if value == new[name] or name in _NOT_CLEARED:
            continue
        if name in {"collection", "dmp"}:
            parts = asdict(new[name])
            found |= {f"{name}.{part}": not parts[part] for part, known in asdict(value).items() if known}
        elif value:
            found[name] = not new[name]
        else:
            found[name] = False
    return found


def care_changes(before: tuple[LegalCareMode, ...], after: tuple[LegalCareMode, ...]) -> tuple[CareMode, ...]:
    """What became of the legal modes of care, known by their identifier (ZFS-2)."""
    old, new = ({mode.id: mode for mode in modes} for modes in (before, after))
    told = [CareMode("CANCEL", mode) for number, mode in old.items() if number not in new]
    told += [
        CareMode("UPDATE" if number in old else "INSERT", mode)
        for number, mode in new.items()
        if mode != old.get(number)
    ]
    return tuple(told)
