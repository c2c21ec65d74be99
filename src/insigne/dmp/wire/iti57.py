"""Update Document Set (ITI-57): the logical deletion of a document (TD3.3c), by a change of its availability."""

from dataclasses import dataclass

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import root
from insigne.dmp.wire.iti41 import LOT, association, submission_object
from insigne.dmp.wire.model import Availability, Deletion, WireError
from insigne.dmp.wire.rim import RegistryObject, build_objects, read_objects


@dataclass(frozen=True, slots=True)
class Update:
    """An update as read. `target` is the entryUUID; `original` and `new` are availabilities, "" when unknown."""

    objects: tuple[RegistryObject, ...]
    target: str
    original: Availability
    new: Availability


def build_deletion(deletion: Deletion) -> etree._Element:
    """Write the payload. Raises WireError without the identifier of the entry, or its present status."""
    if not deletion.entry_uuid:
        raise WireError("entry_uuid: missing; search for the reference of the document first")
    if deletion.status not in names.AVAILABILITY or deletion.status == "deleted":
        raise WireError("status: a document that is not known to be there cannot be deleted")
    request = root("lcm:SubmitObjectsRequest")
    change = association(
        1,
        names.UPDATE_STATUS,
        LOT,
        deletion.entry_uuid,
        OriginalStatus=names.AVAILABILITY[deletion.status],
        NewStatus=names.AVAILABILITY["deleted"],
    )
    build_objects(request, (submission_object(deletion.submission), change))
    return request


def read_update(payload: etree._Element) -> Update:
    """Read a payload. Raises WireError for another one, or one without a change of availability."""
    if payload.tag != f"{{{names.LCM}}}SubmitObjectsRequest":
        raise WireError("the SOAP body holds no SubmitObjectsRequest")
    objects = read_objects(payload)
    changes = [one for one in objects if one.attributes.get("associationType") == names.UPDATE_STATUS]
    if len(changes) != 1:
        raise WireError("an update has one association UpdateAvailabilityStatus")
    (change,) = changes
    return Update(
        objects,
        change.attributes.get("targetObject", ""),
        names.AVAILABILITY_WORDS.get(change.slot("OriginalStatus"), ""),
        names.AVAILABILITY_WORDS.get(change.slot("NewStatus"), ""),
    )
