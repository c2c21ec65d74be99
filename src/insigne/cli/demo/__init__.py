"""`insigne demo`: play a synthetic hospital through a real server on loopback, and compare with the truth."""

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from insigne.app.base import open_base
from insigne.app.logs import configure
from insigne.cli.common import Context, Exit, command_app, emit, examples, fail
from insigne.cli.demo.desk import play_desk
from insigne.cli.demo.diffusion import Receivers, receivers, settled
from insigne.cli.demo.documents import Documents
from insigne.cli.demo.dpi import Dpi
from insigne.cli.demo.nation import dmp_configuration, insi_configuration
from insigne.cli.demo.play import Answers, play_folder, play_mllp
from insigne.cli.demo.service import Service, ServiceNotStarted, simulator
from insigne.cli.demo.stage import NotStarted, Stage, stage
from insigne.cli.demo.verdict import Expectation, against_truth, over_fhir
from insigne.cli.options import DEFAULT_DATA
from insigne.config import load
from insigne.simulate.hospital import GeneratedMessage, HospitalSettings, generate, truth
from insigne.simulate.truth import Person
from insigne.simulate.written import written_cases
from insigne.store import Store, open_store
from insigne.store.audit_verify import audit_verify
from insigne.store.verify import verify

app = command_app()

_MERGED = 2
"""People the GAM merges by mistake once they were fed."""
_FOLDER_SHARE = 5
"""One part in so many of the feed, the last one, comes by folder."""


@app.command(
    epilog=examples("insigne demo --once", "insigne demo --patients 500 --seed 7", "insigne demo --once --json")
)
def demo(
    ctx: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="Play, print the summary, and end: 0 when all held.")] = False,
    patients: Annotated[int, typer.Option(min=1, help="How many people come to the hospital.")] = 150,
    seed: Annotated[int, typer.Option(help="Another number, another hospital.")] = 1,
    desk: Annotated[
        int, typer.Option(min=2, help="How many more come to the desk, half of them while INSi is down.")
    ] = 40,
) -> None:
    """Play a synthetic hospital through the chain, on loopback: births, admissions, merges, wrong messages on purpose,
    and a desk whose people are looked up in a simulated INSi that goes down and comes back.

    Without --once the server stays up, to be looked at, until Ctrl-C. Everything is made in a folder of its own, which
    is removed at the end: a data folder or a configuration given is refused.
    """
    context = Context.of(ctx)
    _refuse_unused(context)
    configure("error")  # the receivers and the desk play in this process
    folder = Path(tempfile.mkdtemp(prefix="insigne-demo-"))
    try:
        settings = HospitalSettings(patients, seed=seed, people=patients + desk + _MERGED)
        people = folder / "truth.jsonl"
        people.write_bytes(b"".join(msgspec.json.encode(person) + b"\n" for person in truth(settings)))
        with (
            simulator("insi", folder, people) as insi,
            simulator("dmp", folder, people) as dmp,
            receivers(folder / "receivers") as told,
            stage(folder, insi_configuration(insi) + dmp_configuration(dmp) + told.configuration) as ready,
        ):
            summary = _played(ready, insi, dmp, told, settings)
            if context.json:
                emit(summary)
            else:
                _show(summary)
            if not once:
                _stay(ready)
    except (NotStarted, ServiceNotStarted) as error:
        fail(Exit.UNREACHABLE, f"the demonstration did not start:\n{error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not summary["ok"]:
        raise typer.Exit(Exit.PROBLEMS)


def _refuse_unused(context: Context) -> None:
    """Say so rather than let somebody believe that their folder or their settings are played with."""
    given = {
        "--data": context.data != DEFAULT_DATA,
        "--config": context.config_file is not None,
        "--set": bool(context.overrides),
    }
    for option, is_given in given.items():
        if is_given:
            fail(Exit.USAGE, f"demo: {option} has no effect here: the demonstration makes its own folder and settings")


def _played(ready: Stage, insi: Service, dmp: Service, told: Receivers, settings: HospitalSettings) -> dict[str, Any]:
    started = time.monotonic()
    feed, people = list(generate(settings)), list(truth(settings))
    answers, examples_answers = Answers(), Answers()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        asyncio.run(_sent(ready, feed, answers, bars, told))
        written = _written()
        task = bars.add_task("hand-written messages", total=len(written))
        asyncio.run(play_mllp(ready, written, examples_answers, lambda n: bars.advance(task, n)))
        desk, figures, documents, fed = _with_people(ready, insi, dmp, told, people, bars)
        same, diffused = _diffused(ready, told, bars)
        patients = [person for person in people if person.identifiers]
        task = bars.add_task("comparing with the truth", total=len(patients))
        expectations, counts = _compared(ready, people, lambda n: bars.advance(task, n))
    answered = Expectation("every message got the answer expected", len(feed), answers.surprises)
    examples_answered = Expectation("every hand-written case got the answer it states", len(written))
    examples_answered.failures += examples_answers.surprises
    living = [person for person in patients if person.merged_into is None]
    expectations = [answered, examples_answered, *expectations, over_fhir(ready, living[:20])]
    expectations += [*desk, *documents, *same]
    return {
        "ok": all(expectation.ok for expectation in expectations),
        "seconds": round(time.monotonic() - started, 1),
        "messages": _messages(answers, examples_answers),
        "identities": counts,
        "insi": figures,
        "diffused": diffused,
        "documents": fed,
        "expectations": [expectation.document() for expectation in expectations],
    }


def _with_people(
    ready: Stage, insi: Service, dmp: Service, told: Receivers, people: list[Person], bars: Progress
) -> tuple[list[Expectation], dict[str, int], list[Expectation], dict[str, int]]:
    """The desk, and the documents of the hospital: what must hold of each, and its figures."""
    others = [person for person in people if not person.identifiers]
    merged = [one for one in others if one.national][-_MERGED:]
    others = [one for one in others if one not in merged]
    base = open_base(load(ready.configuration, (), {}, ready.data), wait=10.0)
    try:
        dpi = Documents(base, Dpi(ready), dmp)
        task = bars.add_task("documents, and the DMP down and up", total=None)
        dpi.about_patients(people, lambda n: bars.advance(task, n))
        task = bars.add_task("desk, and INSi down and up", total=len(others))
        desk, figures = play_desk(base, insi, others, dpi.about_arrival, lambda n: bars.advance(task, n))
        told.mend()  # who missed one of two people cannot tell that they are merged by mistake
        by_mistake = dpi.merged_by_mistake(merged)
        by_mistake.check(dpi.settled(), "documents are still under way")
        documents, fed = dpi.compared()
        return desk, figures, [by_mistake, *documents], fed
    finally:
        base.close()


def _diffused(ready: Stage, told: Receivers, bars: Progress) -> tuple[list[Expectation], dict[str, int]]:
    task = bars.add_task("receivers catching up", total=None)
    store = open_store(ready.store_url)
    try:
        return settled(store, told, lambda n: bars.advance(task, n))
    finally:
        store.close()


async def _sent(ready: Stage, feed: list[GeneratedMessage], answers: Answers, bars: Progress, told: Receivers) -> None:
    """The feed, by MLLP then by folder; the DPI is switched off for its second quarter."""
    by_folder = len(feed) - len(feed) // _FOLDER_SHARE
    task = bars.add_task("MLLP over mutual TLS", total=by_folder)
    first, second = by_folder // 4, by_folder // 2
    await play_mllp(ready, feed[:first], answers, lambda n: bars.advance(task, n))
    told.dpi_down()
    await play_mllp(ready, feed[first:second], answers, lambda n: bars.advance(task, n))
    told.dpi_up()
    await play_mllp(ready, feed[second:by_folder], answers, lambda n: bars.advance(task, n))
    task = bars.add_task("watched folder", total=len(feed) - by_folder)
    await play_folder(ready, feed[by_folder:], answers, lambda n: bars.advance(task, n))


def _compared(ready: Stage, people: list[Person], progress: Any) -> tuple[list[Expectation], dict[str, int]]:
    store = open_store(ready.store_url, read_only=True)
    try:
        with store.read() as view:
            expectations = against_truth(view, people, progress)
            counts = _statuses(view.statuses())
        return [*expectations, _sound(store)], counts
    finally:
        store.close()


def _sound(store: Store) -> Expectation:
    """`db verify` and `audit verify` find nothing."""
    expectation = Expectation("the base and its seals verify")
    for report in (verify(store), audit_verify(store)):
        expectation.check(report.ok, "; ".join(report.problems[:2]))
    return expectation


def _statuses(counts: dict[str, int]) -> dict[str, int]:
    names = {"provisional": "PROV", "retrieved": "RECUP", "validated": "VALI", "qualified": "QUAL"}
    found = {name: counts.get(code, 0) for name, code in names.items()}
    return {"total": sum(found.values()), **found}


def _written() -> list[GeneratedMessage]:
    return [
        GeneratedMessage(f"{case.name}#{index}", "", message, code, case.what)
        for case in written_cases()
        for index, (message, code) in enumerate(zip(case.messages, case.codes, strict=True), 1)
    ]


def _messages(*played: Answers) -> dict[str, int]:
    accepted = sum(answers.codes.get("AA", 0) for answers in played)
    received = sum(sum(answers.codes.values()) for answers in played)
    return {"received": received, "accepted": accepted, "rejected": received - accepted}


def _show(summary: dict[str, Any]) -> None:
    console = Console()
    messages, identities = summary["messages"], summary["identities"]
    console.print(
        f"\n{messages['received']} messages, {messages['accepted']} accepted, {messages['rejected']} refused on purpose"
        f"; {identities['total']} identities, {identities['qualified']} qualified; {summary['seconds']} s\n"
    )
    table = Table(box=None, pad_edge=False)
    for title in ("", "expectation", "detail"):
        table.add_column(title)
    for item in summary["expectations"]:
        table.add_row("[green]held[/]" if item["ok"] else "[red]FAILED[/]", item["name"], item["detail"])
    console.print(table)


def _stay(ready: Stage) -> None:
    console = Console(stderr=True)
    console.print(f"\nStill up: MLLP over TLS on {ready.mllp}, FHIR on http://{ready.http}/fhir/R4/metadata")
    console.print(f"Bearer token: {ready.token}")
    console.print(f"In another terminal: ./run insigne --data {ready.data} message list\nCtrl-C to end.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("ended")
