"""The messages measured with: a synthetic hospital, in the order its desk sends them."""

from collections.abc import Sequence
from typing import NamedTuple

from insigne.hl7 import Message
from insigne.simulate.hospital import HospitalSettings, generate


class Sent(NamedTuple):
    """A message as the load sends it: unframed, with the MSH-10 its acknowledgement names."""

    control_id: str
    payload: bytes


def feed(messages: int, *, seed: int = 1, charset: str = "utf-8", event: str = "") -> list[Sent]:
    """The first `messages` messages of a hospital without faults; of one event (`ADT^A28`) if asked."""
    patients = messages + 10 if event else messages // 5 + 20
    sent: list[Sent] = []
    settings = HospitalSettings(patients=patients, seed=seed, charset=charset, wrong=0)
    for message in generate(settings):
        if not event or message.event == event:
            sent.append(Sent(message.control_id, message.payload))
        if len(sent) == messages:
            return sent
    raise ValueError(f"the hospital of {patients} patients sent {len(sent)} messages, {messages} were wanted")


def lanes(sent: Sequence[Sent], count: int) -> list[list[Sent]]:
    """Share a feed between `count` connections; all messages about one patient stay in order on one of them.

    Patients that a merge, a change of identifier or a common number joins are taken as one.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = name = parents[parents[name]]
        return name

    named = [_identifiers(message.payload) for message in sent]
    for first, *others in named:
        for other in others:
            parents[root(other)] = root(first)
    groups: dict[str, list[Sent]] = {}
    sizes = [0] * count
    lane_of: dict[str, int] = {}
    shared: list[list[Sent]] = [[] for _ in range(count)]
    for (first, *_), message in zip(named, sent, strict=True):
        groups.setdefault(root(first), []).append(message)
    for name, group in groups.items():
        lane = lane_of[name] = sizes.index(min(sizes))
        sizes[lane] += len(group)
    for (first, *_), message in zip(named, sent, strict=True):
        shared[lane_of[root(first)]].append(message)
    return shared


def _identifiers(payload: bytes) -> list[str]:
    message = Message.parse(payload)
    found = []
    for name, field in (("PID", 3), ("MRG", 1)):
        segment = message.segment(name)
        if segment is not None:
            found += [repetition[0] for repetition in segment.components(field) if repetition[0] not in {"", '""'}]
    return found
