"""IHE_XDM.zip: what a mail carries (IHE ITI TF-2 §3.32.4.1).

Writing is deterministic: the same files give the same bytes, so that a mail sent again is the same mail. Reading trusts
nothing: sizes are counted as they come out, whatever the archive says of itself.
"""

import hashlib
import html
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from insigne.dmp.settings_mss import XdmSettings

SUBSET: Final = "IHE_XDM/SUBSET01"
METADATA: Final = "METADATA.XML"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK: Final = 65_536
_FREE: Final = 1_048_576
"""Bytes of one file whose ratio is not looked at: a short text compresses very well."""
_ENCRYPTED: Final = 0x1
_END: Final = b"PK\5\6"
"""What the record at the end of an archive begins with."""
_LARGE: Final = b"PK\6\7"
"""What stands right before that record in an archive of ZIP64, whose directory has its size elsewhere."""
_SHORTEST_LARGE: Final = 20
_SHORTEST_END: Final = 22
_LONGEST_END: Final = _SHORTEST_END + 65_535
_LONGEST_ENTRY: Final = 46 + 1024
"""Bytes of the directory about a file, with a long name."""
_SYMLINK: Final = 0o120000
_README: Final = """{structure}

Cette archive contient des documents de santé au format IHE XDM (Cross-Enterprise Document Media Interchange).
INDEX.HTM présente son contenu ; IHE_XDM/SUBSET01/METADATA.XML décrit les documents.
Elle a été produite par {product}.
"""


class XdmError(ValueError):
    """An archive that cannot be made or may not be read. The text says why, and quotes no content."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive, under `SUBSET`; `title` is what the index calls it."""

    name: str
    title: str
    content: bytes = field(repr=False)

    @property
    def sha1(self) -> str:
        """Its hash, as metadata say it."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Subset:
    """A submission set of an archive: its metadata, and its files by the URI that metadata name them by."""

    metadata: bytes = field(repr=False)
    files: dict[str, bytes] = field(repr=False)

    def file(self, uri: str) -> bytes | None:
        """The file of that URI; None when there is none. Capitals do not count, as on the media XDM was made for."""
        wanted = posixpath.normpath(uri.replace("\\", "/")).casefold()
        return next((content for name, content in self.files.items() if name.casefold() == wanted), None)


def write(
    target: BinaryIO, metadata: bytes, parts: Sequence[Part], *, title: str, structure: str, product: str
) -> None:
    """Write the archive of one submission set. Raises XdmError for a name that media cannot hold."""
    index = _index(parts, title=title, structure=structure)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        _add(archive, "INDEX.HTM", index.encode())
        _add(archive, "README.TXT", _README.format(structure=structure, product=product).encode())
        _add(archive, f"{SUBSET}/{METADATA}", metadata)
        for part in parts:
            if not _is_media_name(part.name):
                raise XdmError(f"{part.name}: a file of an XDM archive has a name of 8 letters and an extension of 3")
            _add(archive, f"{SUBSET}/{part.name}", part.content)


def read(source: BinaryIO, limits: XdmSettings) -> list[Subset]:
    """Read the submission sets of an archive, in the order of their folders.

    Raises XdmError: not a ZIP archive, an entry that leads out of it, encrypted, twice there, too many or too large
    ones, no METADATA.XML.
    """
    try:
        _check_directory(source, limits)
        with zipfile.ZipFile(source) as archive:
            entries = _checked(archive.infolist(), limits)
            folders = _subsets(entries)
            left = limits.max_bytes
            found = []
            for folder in sorted(folders):
                files = {}
                for name in sorted(entries):
                    if name.startswith(folder + "/"):
                        content = _content(archive, entries[name], left, limits.max_ratio)
                        left -= len(content)
                        files[name[len(folder) + 1 :]] = content
                metadata = files.pop(next(name for name in files if name.upper() == METADATA))
                found.append(Subset(metadata, files))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, zlib.error) as error:
        raise XdmError(f"the archive cannot be read ({type(error).__name__}): it must be sent again whole") from error
    except (RuntimeError, ValueError) as error:
        if isinstance(error, XdmError):
            raise
        raise XdmError(f"the archive cannot be read ({type(error).__name__})") from error
    return found


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    with archive.open(info, "w") as file:
        for start in range(0, len(content), _CHUNK):
            file.write(content[start : start + _CHUNK])


def _is_media_name(name: str) -> bool:
    stem, dot, extension = name.partition(".")
    letters = (stem + extension).replace("_", "")
    return bool(dot) and 1 <= len(stem) <= 8 and 1 <= len(extension) <= 3 and letters.isascii() and letters.isalnum()


def _index(parts: Iterable[Part], *, title: str, structure: str) -> str:
    escape = html.escape
    items = "".join(f'<li><a href="{SUBSET}/{part.name}">{escape(part.title)}</a></li>\n' for part in parts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">\n'
        f"<head><title>{escape(title)}</title></head>\n<body>\n<h1>{escape(title)}</h1>\n<p>{escape(structure)}</p>\n"
        f'<ul>\n{items}</ul>\n<p><a href="README.TXT">README.TXT</a></p>\n</body>\n</html>\n'
    )


def _check_directory(source: BinaryIO, limits: XdmSettings) -> None:
    """Refuse a directory of files larger than that of the files allowed, before it is read into memory."""
    source.seek(0, io.SEEK_END)
    source.seek(max(0, source.tell() - _LONGEST_END - _SHORTEST_LARGE))
    end = source.read()
    at = len(end) - _SHORTEST_END
    if end[at : at + len(_END)] != _END:  # a comment follows
        at = end.rfind(_END)
    if at >= 0 and int.from_bytes(end[at + 12 : at + 16], "little") > limits.max_entries * _LONGEST_ENTRY:
        raise XdmError(f"the archive has a directory of more than {limits.max_entries} files")
    if end[: max(at, 0)][-_SHORTEST_LARGE:].startswith(_LARGE):
        raise XdmError("the archive is in ZIP64: it must be written as an ordinary one, which four gigabytes fit in")
    source.seek(0)


def _checked(infos: Sequence[zipfile.ZipInfo], limits: XdmSettings) -> dict[str, zipfile.ZipInfo]:
    """The files by name; raises XdmError for what may not be read."""
    if len(infos) > limits.max_entries:
        raise XdmError(f"the archive has {len(infos)} entries, {limits.max_entries} at most are read")
    if sum(info.file_size for info in infos) > limits.max_bytes:
        raise XdmError(f"the archive declares more than {limits.max_bytes} bytes")
    entries: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        if info.flag_bits & _ENCRYPTED:
            raise XdmError("the archive is encrypted: it must be sent without a password")
        if (info.external_attr >> 16) & 0o170000 == _SYMLINK:
            raise XdmError("the archive has a link: only files are read")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise XdmError("the archive is compressed in a way that XDM has not")
        name = _inside(info.filename)
        if info.is_dir():
            continue
        if name.casefold() in seen:
            raise XdmError("the archive has two files of one name")
        seen.add(name.casefold())
        entries[name] = info
    return entries


def _inside(name: str) -> str:
    """The name, as a path of the archive; raises XdmError when it leads out of it."""
    path = name.replace("\\", "/")
    steps = path.rstrip("/").split("/")
    if (
        not path
        or path.startswith("/")
        or ":" in path
        or "\0" in path
        or any(step in ("", ".", "..") for step in steps)
    ):
        raise XdmError("the archive has an entry that leads out of it")
    return "/".join(steps)


def _subsets(entries: Iterable[str]) -> list[str]:
    folders = []
    for name in entries:
        folder, _, file = name.rpartition("/")
        if file.upper() == METADATA and folder.upper().startswith("IHE_XDM/") and folder.count("/") == 1:
            folders.append(folder)
    if not folders:
        raise XdmError("the archive has no IHE_XDM/…/METADATA.XML")
    return folders


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int, ratio: int) -> bytes:
    """Decompress a file, counting; raises XdmError once it is larger than what is left, or grows too much."""
    most = min(left, max(_FREE, info.compress_size * ratio))
    content = bytearray()
    with archive.open(info) as file:
        while chunk := file.read(_CHUNK):
            content += chunk
            if len(content) > most:
                raise XdmError("a file of the archive grows out of proportion when decompressed")
    return bytes(content)
