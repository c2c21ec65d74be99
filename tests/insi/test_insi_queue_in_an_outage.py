"""The queue at work while the téléservice goes down for everybody, and after."""

from contextlib import closing

import pytest

from bench import insi_site as site
from insigne.app.insi import insi_service
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import ALL_WELL, Effects
from insigne.simulate.insi.simulator import SimulatorSettings
from insigne.store.insi import JobFilter

PEOPLE = 40
DOWN_CALLS = 5
THREADS = 4


@pytest.fixture
def nation(tmp_path):
    with running(SimulatorSettings(tmp_path / "nation")) as service:
        yield service


def set_effects(nation, effects):
    nation.call(lambda: nation.simulator.control.change(Change(effects=effects)))


def test_questions_whose_turn_comes_after_the_service_went_down_are_put_off_without_a_call(tmp_path, nation):
    settings = {"breaker.down_calls": DOWN_CALLS, "breaker.probe_seconds": 0.001, "retry.first_seconds": 1}
    _, base = site.new_base(tmp_path / "data", nation.ready, **settings)
    with closing(base), closing(insi_service(base, automatic=True)) as service:
        site.queue(base, site.created(base, site.people(PEOPLE)))
        set_effects(nation, Effects(http=503))
        assert service.work() == PEOPLE
        with base.store.read() as view:
            jobs, calls = view.jobs(JobFilter(state="waiting")), view.calls()
        assert len(jobs) == PEOPLE
        assert DOWN_CALLS <= len(calls) < DOWN_CALLS + THREADS
        asked = {call.job for call in calls}
        assert {job.id for job in jobs if job.attempts or job.error or job.due != job.created} == asked
        assert service.counters.outages == 1

        set_effects(nation, ALL_WELL)
        while service.breaker.open_since() is not None:
            service.work()
        service.work()
        with base.store.read() as view:
            done = view.jobs(JobFilter(state="done"))
        assert {job.id for job in jobs} - asked <= {job.id for job in done}
