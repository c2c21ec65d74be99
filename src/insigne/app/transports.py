"""Which transport carries what, by configuration."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from insigne.config import Config
from insigne.exchange.ports import Receiver
from insigne.transport.files import Files
from insigne.transport.ftp import FtpFiles
from insigne.transport.remote_folder import RemoteFolderIntake
from insigne.transport.settings import FtpSettings, MllpSettings, RemoteFolderSettings, SftpSettings
from insigne.transport.sftp import SftpFiles

_AROUND_DOCUMENT = 1_048_576
"""Bytes of a message beside the document in it."""


def mllp_settings(config: Config) -> MllpSettings:
    """How messages are received over MLLP: a PFI takes those that hold a document of `dmp.intake.max_bytes`."""
    if "pfi" not in config.roles:
        return config.mllp
    needed = config.dmp.intake.max_bytes * 4 // 3 + _AROUND_DOCUMENT
    return replace(config.mllp, max_frame_bytes=max(config.mllp.max_frame_bytes, needed))


def remote_folders(
    settings: Sequence[RemoteFolderSettings], receiver: Receiver, clock: Callable[[], str]
) -> list[RemoteFolderIntake]:
    """What fetches from each folder of a server. Raises `net.tls.TlsError`."""
    return [RemoteFolderIntake(one, files_of(one.sftp or one.ftp), receiver, clock=clock) for one in settings]


def files_of(server: SftpSettings | FtpSettings | None) -> Files:
    """The files of a server. Raises `net.tls.TlsError`."""
    match server:
        case SftpSettings():
            return SftpFiles(server)
        case FtpSettings():
            return FtpFiles(server)
        case None:
            raise ValueError("a folder of a server names its server")
