"""A référentiel d'identités and the téléservice it asks: identities of ours, questions queued, a nation that knows."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench import server
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.config import LoadedConfig, load, store_url
from insigne.insi.jobs import Job, JobKind
from insigne.net.http import HttpClient, HttpLimits
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import client_context
from insigne.registry.acts import AcceptIns, Act, CreateIdentity, NationalAnswer, PriorSearch
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.simulate.hospital import HospitalSettings, truth
from insigne.simulate.truth import Person
from insigne.store import upgrade

OURS = Authority("INSIGNE")
AUTHOR = "user:bench"
_BATCH = 500
_TRUTH = "truth.jsonl"
T = TypeVar("T")


def people(size: int, seed: int = 41) -> list[Person]:
    """People whom INSi knows, always the same ones."""
    known = (one for one in truth(HospitalSettings(patients=0, people=size, seed=seed)) if one.national is not None)
    return list(islice(known, size))


def nation(folder: Path, known: Sequence[Person], *options: str) -> server.Server:
    """The simulated téléservice, in a process of its own, with these people beside its test people."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _TRUTH
    file.write_bytes(b"".join(msgspec.json.encode(person) + b"\n" for person in known))
    return server.insi_simulator(folder, "--people", str(file), *options)


def settings(ready: Mapping[str, Any], **others: object) -> list[str]:
    """What `--set` says to call that téléservice, with a rate that never makes a call wait."""
    client = ready["clients"]["INSI-AUTO"]
    keys = {
        "endpoint": ready["url"],
        "idam": ready["idam"],
        "tls.ca_file": ready["ca"],
        "tls.cert_file": client["cert"],
        "tls.key_file": client["key"],
        "verification.adapter": "simulation",
        "verification.endpoint": ready["verification"],
        "verification.poll_seconds": 0.2,
        "rate": 1e6,
        "burst": 1_000_000,
    } | others
    return [f"insi.{key}={value}" for key, value in keys.items()]


def new_base(folder: Path, ready: Mapping[str, Any], **others: object) -> tuple[LoadedConfig, Base]:
    """An empty base that calls this téléservice."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded = load(None, settings(ready, **others), {}, folder)
    upgrade(store_url(loaded))
    return loaded, open_base(loaded, wait=5.0)


def created(base: Base, persons: Sequence[Person], *, with_ins: bool = False) -> list[str]:
    """Create a provisional identity of ours for each person; `with_ins`: what INSi says of them is accepted too."""
    ids: list[str] = []
    for batch in _batches(persons):
        made = _acted(base, [_creation(person) for person in batch])
        ids += made
        if with_ins:
            _acted(base, [_acceptance(identity, one) for identity, one in zip(made, batch, strict=True)])
    return ids


def queue(base: Base, identities: Sequence[str], kind: JobKind = "retrieve") -> None:
    """Queue a question about each identity."""
    now = rfc3339_now()
    for batch in _batches(identities):
        with base.store.begin() as transaction:
            for identity in batch:
                transaction.put_job(Job(base.new_id(), kind, identity, "automatic", AUTHOR, now, due=now))
            transaction.commit()


def _acted(base: Base, acts: Sequence[Act]) -> list[str]:
    source = Source(rfc3339_now(), AUTHOR, "user", "bench", local=True)
    with base.store.begin() as transaction:
        decisions = base.registrar.act_within(transaction, [(act, source) for act in acts])
        transaction.commit()
    return [decision.subject for decision in decisions]


def _creation(person: Person) -> CreateIdentity:
    traits = person.traits
    return CreateIdentity(
        Identifier("PI", OURS, person.person),
        TraitsAssertion(
            traits.birth_name,
            traits.given_names[0],
            " ".join(traits.given_names),
            traits.birth_date.replace("-", ""),
            traits.sex,
            traits.birth_place,
        ),
        DetailsAssertion(),
        PriorSearch((("birth_name", traits.birth_name),), ()),
    )


def _acceptance(identity: str, person: Person) -> AcceptIns:
    national, traits = person.national, person.traits
    if national is None:
        raise ValueError("INSi does not know this person")
    found = Traits(
        birth_name=traits.birth_name,
        first_given_name="",
        given_names=" ".join(traits.given_names),
        birth_date=traits.birth_date.replace("-", ""),
        sex=traits.sex,
        birth_place=traits.birth_place,
    )
    return AcceptIns(identity, 0, NationalAnswer(Ins(national.matricule, national.oid), found))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def received(ready: Mapping[str, Any]) -> Counter[str]:
    """How often the téléservice was asked each search, by the hash of its criteria (see `/control/calls`)."""
    client = ready["clients"]["AUTRE-CN"]
    tls = ClientTlsSettings(ca_file=ready["ca"], cert_file=client["cert"], key_file=client["key"])
    with closing(HttpClient(ready["control"], client_context(tls), limits=HttpLimits(max_bytes=1 << 26))) as http:
        answer = http.request("GET", "/calls?operation=search")
    return Counter(call["criteria"] for call in json.loads(answer.body)["calls"])
