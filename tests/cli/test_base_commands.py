"""`insigne db`, `backup`, `restore`, `audit` and `purge`."""

import json
import sqlite3

import pytest

from insigne.insi.jobs import CallTrace
from insigne.store import open_store
from insigne.store.lock import FolderLock

MARGOT = "01JMARGOT00000000000000000"


def run(insigne, folder, *args):
    status, out, err = insigne("--data", folder, *args, "--json")
    return status, json.loads(out) if out else None, err


def damaged(site, sql):
    base = sqlite3.connect(site.folder / "insigne.db")
    base.execute(sql)
    base.commit()
    base.close()


def test_upgrade_makes_the_tables_then_changes_nothing(insigne, tmp_path):
    status, document, _ = run(insigne, tmp_path / "new", "db", "upgrade")
    assert (status, document["ok"], document["checked"]["from"]) == (0, True, None)
    _, again, _ = run(insigne, tmp_path / "new", "db", "upgrade")
    assert again["checked"]["from"] == again["checked"]["to"] == document["checked"]["to"]
    assert run(insigne, tmp_path / "new", "db", "verify")[0] == 0


def test_rebuild_gives_the_same_identities(insigne, hospital):
    before = insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--json").out
    damaged(hospital, "DELETE FROM identity")
    status, document, _ = run(insigne, hospital.folder, "db", "rebuild")
    assert (status, document["checked"]["identity"], document["problems"]) == (0, 2, [])
    assert insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--json").out == before


def test_verify_finds_what_the_journal_does_not_say(insigne, hospital):
    assert run(insigne, hospital.folder, "db", "verify")[1]["ok"]
    damaged(hospital, f"UPDATE identity SET status = 'PROV' WHERE id = '{MARGOT}'")
    status, document, _ = run(insigne, hospital.folder, "db", "verify")
    assert (status, document["ok"]) == (1, False)
    assert MARGOT in document["problems"][0]


def test_audit_finds_an_entry_that_was_changed(insigne, hospital):
    status, document, _ = run(insigne, hospital.folder, "audit", "verify")
    assert (status, document["problems"]) == (0, [])
    assert document["checked"]["entries"] == 5
    damaged(hospital, "UPDATE journal SET author = 'nobody' WHERE seq = 2")
    status, document, _ = run(insigne, hospital.folder, "audit", "verify")
    assert (status, document["ok"]) == (1, False)


def test_a_head_noted_earlier_shows_a_chain_cut_short(insigne, hospital):
    head = run(insigne, hospital.folder, "audit", "verify")[1]["checked"]
    anchor = f"{head['head']}:{head['head_digest']}"
    assert run(insigne, hospital.folder, "audit", "verify", "--anchor", anchor)[0] == 0
    damaged(hospital, f"DELETE FROM journal WHERE seal = {head['head']}")
    damaged(hospital, f"DELETE FROM seal WHERE number = {head['head']}")
    assert run(insigne, hospital.folder, "audit", "verify")[0] == 0
    assert run(insigne, hospital.folder, "audit", "verify", "--anchor", anchor)[0] == 1
    assert run(insigne, hospital.folder, "audit", "verify", "--anchor", "x")[0] == 2


def test_a_backup_restored_elsewhere_shows_the_same_people(insigne, hospital, tmp_path):
    copy = tmp_path / "copy.db"
    status, document, err = run(insigne, hospital.folder, "backup", copy)
    assert (status, document["ok"]) == (0, True), err
    status, document, err = run(insigne, tmp_path / "other", "restore", copy)
    assert (status, document["ok"]) == (0, True), err
    shown = [
        insigne("--data", folder, "identity", "show", "GAM|9999", "--json").out
        for folder in (hospital.folder, tmp_path / "other")
    ]
    assert shown[0] == shown[1] != ""


def test_restore_does_not_overwrite_data_unasked(insigne, hospital, tmp_path):
    copy = tmp_path / "copy.db"
    run(insigne, hospital.folder, "backup", copy)
    assert run(insigne, hospital.folder, "restore", copy)[0] == 2
    assert run(insigne, hospital.folder, "restore", copy, "--force")[0] == 0
    assert run(insigne, hospital.folder, "backup", copy)[0] == 2


def test_a_damaged_backup_is_not_restored(insigne, hospital, tmp_path):
    copy = tmp_path / "copy.db"
    run(insigne, hospital.folder, "backup", copy)
    base = sqlite3.connect(copy)
    base.execute("UPDATE journal SET author = 'nobody' WHERE seq = 2")
    base.commit()
    base.close()
    status, document, _ = run(insigne, tmp_path / "other", "restore", copy)
    assert (status, document["ok"]) == (1, False)
    assert not (tmp_path / "other" / "insigne.db").exists()


@pytest.mark.parametrize("command", [("db", "upgrade"), ("restore", "copy.db")])
def test_what_needs_the_folder_to_itself_is_refused_while_a_server_has_it(insigne, hospital, command):
    with FolderLock(hospital.folder):
        status, document, err = run(insigne, hospital.folder, *command)
    assert (status, document) == (2, None)
    assert "stop the server" in err


def test_a_purge_erases_the_past_and_leaves_the_present(insigne, hospital):
    before = json.loads(insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--json").out)
    options = ("--messages-before", "2026-03-02T00:00:00Z", "--payloads-before", "2026-03-05T00:00:00Z")
    _, planned, _ = run(insigne, hospital.folder, "purge", *options, "--dry-run")
    kinds = ("messages", "told", "payloads", "snapshots", "calls", "copies", "documents", "mails")
    nothing = dict.fromkeys(kinds, 0)
    assert planned["checked"] == nothing | {"messages": 1, "payloads": 5, "snapshots": 2}
    assert run(insigne, hospital.folder, "message", "show", "01JM1")[1]["raw"]["size"] > 0
    status, done, _ = run(insigne, hospital.folder, "purge", *options)
    assert (status, done["checked"]) == (0, planned["checked"])
    assert run(insigne, hospital.folder, "message", "show", "01JM1")[1]["raw"]["size"] == 0
    after = json.loads(insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--json").out)
    assert after["identifier"] == before["identifier"]
    assert run(insigne, hospital.folder, "audit", "verify")[0] == 0
    assert run(insigne, hospital.folder, "db", "rebuild")[0] == 0


def test_answers_of_insi_are_kept_as_long_as_the_setting_says(insigne, hospital):
    def kept(number, day):
        call = CallTrace(f"C{number}", day, "", MARGOT, "user:claire", "admission", "search", "INSI-AUTO", b"{}", "00",
                         "", "", b"<xml/>", 200)  # fmt: skip
        store = open_store(hospital.url)
        with store.begin() as transaction:
            transaction.put_call(call)
            transaction.commit()
        store.close()

    kept(1, "2020-03-01T08:00:00.000Z")
    kept(2, "2999-03-01T08:00:00.000Z")
    for options in (["--set", "retention.calls_days=30"], ["--calls-before", "2026-03-01T00:00:00Z"]):
        _, planned, _ = run(insigne, hospital.folder, "purge", *options, "--dry-run")
        assert planned["checked"]["calls"] == 1
    _, done, _ = run(insigne, hospital.folder, "purge", "--set", "retention.calls_days=30")
    kinds = ("messages", "told", "payloads", "snapshots", "calls", "copies", "documents", "mails")
    nothing = dict.fromkeys(kinds, 0)
    assert done["checked"] == nothing | {"calls": 1}
    assert run(insigne, hospital.folder, "db", "verify")[1]["checked"]["insi_call"] == 2


def test_a_history_that_was_purged_says_so(insigne, hospital):
    run(insigne, hospital.folder, "purge", "--payloads-before", "2026-03-05T00:00:00Z")
    out = insigne("--data", hospital.folder, "identity", "history", "GAM|4071", "--json").out
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["reason"] == "erased by a purge"
    assert (lines[0]["before"], lines[0]["after"]) == (None, None)
    assert lines[-1]["event"] == "identity-snapshot"
    assert lines[-1]["after"]["traits"]["birth_name"] == "LESTREZ"
    past = insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--at", "2026-03-02T09:00:00Z")
    assert past.status == 1
    assert "erased by a purge" in past.err


@pytest.mark.parametrize(
    "options", [[], ["--messages-before", "2026-03-02"], ["--messages-before", "2999-01-01T00:00:00Z"]]
)
def test_a_purge_without_a_clear_past_moment_is_exit_2(insigne, hospital, options):
    assert insigne("--data", hospital.folder, "purge", *options).status == 2


def test_people_read_ok_or_the_problems(insigne, hospital):
    assert insigne("--data", hospital.folder, "db", "verify").out.splitlines()[-1] == "ok"
    damaged(hospital, "DELETE FROM identity")
    assert "missing" in insigne("--data", hospital.folder, "db", "verify").out
