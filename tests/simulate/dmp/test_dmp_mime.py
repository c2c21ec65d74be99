"""Messages with attachments: parts are found in place, whatever they hold, and damage is told."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.simulate.dmp.mime import MimeError, read_package

KIND = 'multipart/related; boundary="limite"; start="<0>"; type="application/xop+xml"'
BODIES = st.lists(st.binary(max_size=60), min_size=1, max_size=5).filter(
    lambda parts: not any(b"--limite" in part for part in parts)
)


def written(parts):
    return (
        b"".join(
            f"--limite\r\nContent-ID: <{name}>\r\nContent-Type: text/xml\r\n\r\n".encode() + part + b"\r\n"
            for name, part in enumerate(parts)
        )
        + b"--limite--\r\n"
    )


@given(BODIES)
def test_parts_are_read_as_they_were_written(parts):
    package = read_package(written(parts), KIND)

    assert package.root.whole() == parts[0]
    assert [package.parts[str(name)].whole() for name in range(1, len(parts))] == parts[1:]


@given(BODIES, st.data())
def test_damage_is_told_or_changes_a_part_and_never_breaks(parts, data):
    body = bytearray(written(parts))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))

    with suppress(MimeError):
        read_package(bytes(body), KIND)


def test_what_is_before_the_first_part_and_after_the_last_is_passed_over():
    package = read_package(b"preamble\r\n" + written([b"root", b"part"]) + b"epilogue", KIND)

    assert (package.root.whole(), package.parts["1"].whole()) == (b"root", b"part")


def test_a_root_is_named_by_start_or_is_the_first():
    body = written([b"first", b"second"])

    assert read_package(body, KIND.replace("<0>", "<1>")).root.whole() == b"second"
    assert read_package(body, KIND.replace('start="<0>"; ', "")).root.whole() == b"first"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", KIND),
        (b"no boundary", KIND),
        (written([b"root"])[:-12], KIND),
        (written([b"root"]), KIND.replace("<0>", "<9>")),
        (written([b"root"]), "multipart/mixed; boundary=limite"),
        (written([b"root"]), "multipart/related"),
        (written([b"a", b"b"]).replace(b"<1>", b"<0>"), KIND),
        (written([b"x"]).replace(b"Content-Type", b"Content-Transfer-Encoding: base64\r\nContent-Type"), KIND),
    ],
    ids=["empty", "no boundary", "no end", "no root", "mixed", "no parameter", "an id twice", "base64"],
)
def test_what_is_not_a_package_is_refused(body, kind):
    with pytest.raises(MimeError):
        read_package(body, kind)
