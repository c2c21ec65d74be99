"""Reading the configuration: sources, precedence, and what a mistake says."""

from pathlib import Path

import pytest

from insigne.config import ConfigError, Origin, effective_values, load
from insigne.registry.settings import AuthoritySettings

DATA = Path("data")


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "insigne.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def config(file=None, *overrides, **environ):
    return load(file, overrides, environ, DATA).config


def mistake(file=None, *overrides, **environ) -> str:
    with pytest.raises(ConfigError) as error:
        load(file, overrides, environ, DATA)
    return str(error.value)


def test_without_configuration_everything_listens_on_loopback_in_production():
    found = config()
    assert found.environment == "production"
    assert found.roles == ("ri", "consumer")
    assert (found.mllp.host, found.mllp.port) == ("127.0.0.1", 2575)
    assert (found.http.host, found.http.port) == ("127.0.0.1", 8380)
    assert found.store.url == ""
    assert found.ri.authorities == ("INSIGNE",)


def test_a_file_sets_keys_and_tables_of_a_list(write):
    found = config(
        write("""
            environment = "test"
            [mllp]
            port = 0
            [[authorities]]
            name = "CHU"
            oid = "1.2.250.1.999"
            trusted = false
        """)
    )
    assert found.environment == "test"
    assert found.mllp.port == 0
    assert found.authorities == (AuthoritySettings(name="CHU", oid="1.2.250.1.999", trusted=False),)


def test_a_variable_is_stronger_than_the_file_and_set_stronger_than_both(write):
    file = write("[mllp]\nport = 1\n[http]\nport = 1\n[store]\nurl = 'sqlite:///a.db'")
    loaded = load(file, ["http.port=3"], {"INSIGNE_MLLP__PORT": "2", "INSIGNE_HTTP__PORT": "2"}, DATA)
    assert (loaded.config.mllp.port, loaded.config.http.port) == (2, 3)
    assert loaded.origins == {
        "mllp.port": Origin("environment", "INSIGNE_MLLP__PORT"),
        "http.port": Origin("--set"),
        "store.url": Origin("file", str(file)),
    }


@pytest.mark.parametrize(
    ("override", "url"),
    [
        ("store.url=sqlite:///x.db", "sqlite:///x.db"),
        ('store.url="sqlite:///x.db"', "sqlite:///x.db"),
        ("store.url=12", "12"),
        ("store.url=", ""),
        ("store.url=a=b", "a=b"),
    ],
)
def test_a_text_given_by_set_needs_no_quotes(override, url):
    assert config(None, override).store.url == url


def test_a_list_given_by_set_is_toml():
    assert config(None, 'roles=["pfi"]').roles == ("pfi",)


def test_a_value_given_by_set_cannot_bring_a_second_key_along():
    assert config(None, "store.url=1\nother=2").store.url == "1\nother=2"


def test_variables_that_are_no_key_of_the_first_level_are_left_alone():
    found = config(INSIGNE_SECRET="x", INSIGNE_PORT="tcp://10.0.0.1:80", INSIGNE_ENVIRONMENT="test")
    assert found.environment == "test"


def test_an_unknown_key_names_file_key_and_nearest_key(write):
    file = write("[mllp]\nprot = 2575")
    assert mistake(file) == f"{file}: mllp.prot: unknown key; did you mean mllp.port?"


def test_an_unknown_table_is_refused_even_when_it_is_empty(write):
    assert "mlpp: unknown key; did you mean mllp?" in mistake(write("[mlpp]"))


def test_a_key_put_at_the_wrong_place_is_found_where_it_belongs(write):
    assert "authoritie: unknown key; did you mean authorities?" in mistake(write("authoritie = []"))
    assert "did you mean store.url?" in mistake(None, "url=x")


def test_an_unknown_key_like_no_other_gets_the_valid_ones():
    assert mistake(None, "store.zzz=1").endswith("valid keys here: store.url")


def test_optional_settings_are_set_key_by_key_and_what_lacks_beside_them_is_named(write):
    tls = config(write("[mllp.tls]\ncert_file = 'a.pem'"), "mllp.tls.key_file=b.pem").mllp.tls
    assert (tls.cert_file, tls.key_file) == ("a.pem", "b.pem")
    assert mistake(None, "mllp.tls.key_file=b.pem") == "--set: mllp.tls: Object missing required field `cert_file`"


def test_an_unknown_key_inside_a_list_of_tables_says_which_table(write):
    file = write('[[authorities]]\nname = "A"\n[[authorities]]\nname = "B"\nfines = "1"')
    assert mistake(file) == f"{file}: authorities[1].fines: unknown key; did you mean finess?"


def test_a_wrong_type_names_file_key_and_reason(write):
    file = write('[mllp]\nport = "2575"')
    assert mistake(file) == f"{file}: mllp.port: Expected `int`, got `str`"


def test_a_port_out_of_range_is_refused():
    assert "mllp.port" in mistake(None, "mllp.port=65536")


def test_a_value_that_is_not_one_of_the_choices_is_told_the_choices():
    assert mistake(None, "environment=prod").endswith("one of production, test")
    assert mistake(None, 'roles=["boss"]').endswith("one of ri, consumer, pfi")


def test_a_missing_part_of_a_table_is_named(write):
    assert "authorities[0]: Object missing required field `name`" in mistake(write("[[authorities]]\noid = '1.2'"))


def test_a_variable_with_a_wrong_key_is_named():
    assert mistake(INSIGNE_MLLP__PROT="1") == "INSIGNE_MLLP__PROT: mllp.prot: unknown key; did you mean mllp.port?"


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert str(tmp_path / "no.toml") in mistake(tmp_path / "no.toml")


def test_a_file_that_is_not_toml_says_where(write):
    assert "line 1" in mistake(write("mllp = = 1"))


def test_a_file_in_another_character_set_is_refused(tmp_path):
    path = tmp_path / "insigne.toml"
    path.write_bytes("# établissement".encode("latin-1"))
    assert "not a TOML file" in mistake(path)


def test_settings_are_not_replaced_by_a_plain_value(write):
    assert "mllp: holds settings" in mistake(write("mllp = 2575"))
    assert "mllp: holds settings" in mistake(None, "mllp={port=1}")


def test_a_key_below_a_value_is_refused():
    assert "mllp.port is a value" in mistake(None, "mllp.port.x=1")


def test_set_without_a_value_is_refused():
    assert "KEY=VALUE" in mistake(None, "mllp.port")


def test_every_key_is_shown_with_its_origin_and_passwords_masked():
    loaded = load(None, ["store.url=postgresql://insigne:s3cret@db/insigne"], {}, DATA)
    shown = {value.key: value for value in effective_values(loaded)}
    assert shown["store.url"].value == "postgresql://insigne:***@db/insigne"
    assert shown["store.url"].origin == "--set"
    assert (shown["mllp.port"].value, shown["mllp.port"].origin) == (2575, "default")


def test_a_password_inside_a_list_of_settings_is_masked_too(write):
    loaded = load(write('[[folders]]\nname = "in"\npath = "sftp://user:s3cret@host/in"'), [], {}, DATA)
    assert "s3cret" not in repr(effective_values(loaded))


def test_no_key_holds_a_secret_itself():
    secret = ("password", "secret", "token", "passphrase", "key", "pin")
    keys = [value.key for value in effective_values(load(None, [], {}, DATA))]
    assert [key for key in keys if key.split("_")[-1].split(".")[-1] in secret] == []


MLLP = 'mllp = { host = "labo.example", port = 2575 }'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[[destinations]]\nname = "A"\n{MLLP}\n' * 2, ".toml: destinations: A is there twice: give each a name of"),
        ('[[destinations]]\nname = "A"\n', ".toml: destinations[0]: destination A: give one of mllp, folder"),
        (
            '[[destinations]]\nname = "A"\nmllp = { host = "h", prot = 2575 }\n',
            ".toml: destinations[0].mllp.prot: unknown key; did you mean port?",
        ),
    ],
    ids=["name twice", "no transport", "unknown key"],
)
def test_what_is_wrong_with_a_destination_is_told_with_its_file_and_its_key(write, text, said):
    with pytest.raises(ConfigError) as refused:
        load(write(text), [], {}, DATA)
    assert said in str(refused.value)
    assert ": :" not in str(refused.value)
