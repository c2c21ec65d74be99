"""An invented person, and the oracle that reads what is built."""

from collections.abc import Callable
from typing import Any

import fhirkit
import pytest
from msgspec.structs import replace

from insigne.fhir import patient
from insigne.ins.matricule import NIR_OID, key_of
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Authority, Identifier, Ins, Traits

GAM = Authority("GAM", "1.2.250.1.999.7.1", "ISO")
SINCE = "2026-03-01T08:00:00.000Z"
ROOT = "2850763113042"  # an invented woman born in July 1985 at 63113
INS = Ins(ROOT + key_of(ROOT), NIR_OID)


def of(**changes: Any) -> Identity:
    base = Identity(
        id="01JMARGOT",
        domain=GAM.key,
        version=3,
        created=SINCE,
        updated="2026-03-02T09:30:00.000Z",
        traits=Traits("LESTREZ", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113"),
        identifiers=(HeldIdentifier(Identifier("PI", GAM, "4071"), SINCE),),
    )
    return replace(base, **changes)


@pytest.fixture
def person() -> Callable[..., Identity]:
    """A provisional identity, with the fields given replaced."""
    return of


@pytest.fixture
def qualified() -> Callable[..., Identity]:
    """A qualified identity, with the fields given replaced."""
    return lambda **changes: of(**{"ins": HeldIns(INS, SINCE), "checked": True, **changes})


@pytest.fixture
def show() -> Callable[..., dict[str, Any]]:
    """Builds the Patient and has the oracle check that it is FHIR R4."""

    def build(*args: Any, **options: Any) -> dict[str, Any]:
        built = patient(*args, **options)
        assert [str(issue) for issue in fhirkit.validate(built)] == []
        return built

    return build
