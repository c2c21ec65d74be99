"""What every test relies on: a clean environment, reproducible properties, and skips that are seen."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import hypothesis
import pytest
import structlog

from insigne.cli import main

CI = os.environ.get("CI", "").lower() == "true"

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if CI else "local")

for variable in [name for name in os.environ if name.startswith("INSIGNE_")]:
    del os.environ[variable]  # a developer's settings never reach a test


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> Iterator[None]:
    """A test that configures logs does so for itself alone."""
    yield
    structlog.reset_defaults()


class CliResult(NamedTuple):
    """What a run of the command line left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def insigne(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., CliResult]:
    """Run the command line in this process: `insigne("check", path)`."""

    def run(*args: object) -> CliResult:
        with pytest.raises(SystemExit) as leaving:
            main([str(arg) for arg in args])
        out, err = capfdbinary.readouterr()
        return CliResult(int(leaving.value.code or 0), out.decode(), err.decode())

    return run


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With CI=true a part that is missing is a failure: nobody reads the skips of a green build."""
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true does not allow: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    detail = report.longrepr
    return str(detail[2] if isinstance(detail, tuple) else detail).removeprefix("Skipped: ")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a test named after a set: two workers would write its members in two orders, and pytest would stop."""
    values = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    for value in values:
        if isinstance(value, set | frozenset) and len(value) > 1 and str(value) in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: a set names this test; give its cases names with ids=[...]")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what did not run. A skip's reason says how to get what is missing, so it is shown whole, once."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reasons.setdefault(_reason(report), []).append(report.nodeid)
    if reasons:
        terminalreporter.section("not run here, and the way to get it")
    for reason, tests in reasons.items():
        terminalreporter.write_line(f"{reason}: {len(tests)} skipped")
        for test in tests:
            terminalreporter.write_line(f"  {test}")
