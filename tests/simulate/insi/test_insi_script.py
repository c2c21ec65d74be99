"""Scripts of bad days, under a clock that the test holds. No network."""

import pytest

from insigne.insi.wire import read_answer
from insigne.simulate.insi.script import ALL_WELL, Effects, Script, parse_script, read_script
from insigne.simulate.timeline import ScriptError, next_change, refused

ZOE = ("ADRUN", "ZOE", "F", "1975-12-31")


def effects(script, now=0.0, call=1, name=""):
    return script.effects(now, call, name).names()


def test_an_outage_lasts_from_its_first_moment_to_the_one_before_its_end():
    script = parse_script(b'[[step]]\nfrom = "2m"\nto = "5m"\noutage = "refused"\n')
    assert [refused(script.steps, moment) for moment in (0, 119.9, 120, 299.9, 300)] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert [next_change(script.steps, moment) for moment in (0, 120, 299, 300)] == [120, 300, 300, None]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ('"90s"', 90), ('"2m"', 120), ('"1h30m"', 5400), ('"1m2.5s"', 62.5), ("0.5", 0.5)]
)
def test_moments_are_written_in_seconds_or_in_hours_minutes_and_seconds(text, seconds):
    script = parse_script(f"[[step]]\nfrom = {text}\nhttp = 503\n".encode())
    assert effects(script, seconds - 0.01) == ()
    assert effects(script, seconds) == ("http",)
    assert effects(script, seconds + 1e6) == ("http",)


def test_calls_are_counted_from_one_both_ends_included():
    script = parse_script(b"[[step]]\ncalls = [3, 4]\nsiram_40 = 1.0\n")
    assert [effects(script, call=call) for call in (2, 3, 4, 5)] == [(), ("siram_40",), ("siram_40",), ()]


def test_steps_that_overlap_add_up_and_the_later_one_wins():
    script = parse_script(
        b"[[step]]\nto = 60\nlatency_ms = 100\ndrop = true\n[[step]]\nfrom = 30\nto = 90\nlatency_ms = 900\n"
    )
    assert script.effects(10, 1, "") == Effects(latency_ms=100, drop=True)
    assert script.effects(40, 1, "") == Effects(latency_ms=900, drop=True)
    assert script.effects(70, 1, "") == Effects(latency_ms=900)
    assert script.effects(90, 1, "") == ALL_WELL


def test_a_step_may_be_about_one_birth_name():
    script = parse_script(b'[[step]]\nbirth_name = "CORSE"\nmalformed = "truncated"\n')
    assert effects(script, name="CORSE") == ("malformed",)
    assert effects(script, name="ADRUN") == ()


def test_a_script_sets_mode_deviations_and_fixtures():
    script = parse_script(b'mode = "vendor"\ndeviations = ["D1"]\n[fixtures]\nECETINSI = "2.04-2"\n')
    assert (script.mode, script.deviations, script.fixtures) == ("vendor", frozenset({"D1"}), {"ECETINSI": "2.04-2"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[step]]\nfrom = 5\nto = 5\n", "step 1: from 5 s is not before to 5 s"),
        ('[[step]]\nfrom = "soon"\n', "'soon' is not a moment; write seconds, or 90s, 2m, 1h30m"),
        ("[[step]]\nfrom = -1\n", "-1 is not a moment"),
        ("[[step]]\ncalls = [0, 2]\n", r"calls is \[first, last\], from 1"),
        ("[[step]]\ncalls = [1, 2]\nto = 4\n", "without from nor to"),
        ('[[step]]\ncalls = [1, 2]\noutage = "refused"\n', "use from and to, or outage = 'closed'"),
        ("[[step]]\nhttp = 503\n[[step]]\nhttp = 418\n", "step 2: .*418"),
        ("[[step]]\nsiram_40 = 2.0\n", "step 1: "),
        ("[[step]]\nlatancy_ms = 5\n", "latancy_ms"),
        ("modes = 'vendor'\n", "modes"),
        ("deviations = ['D12']\n", "D12"),
        ("[[step]\n", "insi-simulator.md"),
    ],
)
def test_a_script_that_cannot_be_used_says_why(text, said):
    with pytest.raises(ScriptError, match=said):
        parse_script(text.encode())


def test_the_file_of_a_wrong_script_is_named(tmp_path):
    file = tmp_path / "day.toml"
    file.write_text("[[step]]\nhttp = 1\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=r"day\.toml: step 1"):
        read_script(file)


def play(service, toml):
    return service(script=parse_script(toml.encode()))


def test_a_service_goes_down_and_comes_back(service, written):
    tse = play(service, "[[step]]\nfrom = '2m'\nto = '5m'\nhttp = 503\n")
    seen = []
    for tse.time in (0, 119, 120, 299, 300):
        seen.append(tse.post(written(*ZOE)).status)
    assert seen == [200, 200, 503, 503, 200]
    assert [call.code for call in tse.engine.calls.matching()] == ["00", "00", "http_503", "http_503", "00"]


def test_a_share_of_siram_40_strikes_the_same_people_each_time(service):
    tse = play(service, "[[step]]\nsiram_40 = 0.4\n")
    people = [(f"TEST-{letter}{other}", "ANNE", "F", "1990-01-01") for letter in "ABCDEFGHIJ" for other in "KLMNOPQRST"]
    first, second = ([tse.search(*one).code for one in people] for _ in range(2))
    assert first == second
    assert set(first) == {"01", "insi_102"}
    assert 20 < first.count("insi_102") < 60


def test_siram_40_for_everybody_is_a_technical_fault_to_be_tried_later(service):
    fault = play(service, "[[step]]\nsiram_40 = 1.0\n").search(*ZOE)
    assert (fault.http_status, fault.subcode, fault.code, fault.kind) == (500, "siram_40", "insi_102", "technical")


def test_a_wrong_caller_is_told_so_even_while_the_upstream_is_down(service, written):
    tse = play(service, "[[step]]\nsiram_40 = 1.0\n")
    answer = tse.post(written(*ZOE), "AUTRE-CN")
    assert read_answer(answer.status, answer.body).code == "desir_560"


@pytest.mark.parametrize("kind", ["xml", "truncated", "dtd", "namespace", "oversized"])
def test_malformed_answers_are_read_as_technical_faults(service, kind):
    tse = play(service, f'[[step]]\nmalformed = "{kind}"\n')
    fault = tse.search(*ZOE)
    assert (fault.code, fault.kind) == ("malformed", "technical")
    tse.engine.behaviour.script = Script()
    assert tse.search(*ZOE).code == "00"


def test_the_answer_of_another_person_is_well_formed_and_about_somebody_else(service):
    answer = play(service, "[[step]]\nwrong_person = true\n").search(*ZOE)
    assert answer.code == "00"
    assert answer.traits.birth_name != "ADRUN"


def test_what_was_made_wrong_is_noted_with_the_call(service, written):
    tse = play(service, "[[step]]\nlatency_ms = 1500\ndrop = true\n")
    reply = tse.post(written(*ZOE))
    assert (reply.delay, reply.cut) == (1.5, "half")
    [call] = tse.engine.calls.matching()
    assert (call.code, call.effects) == ("00", ("latency_ms", "drop"))
