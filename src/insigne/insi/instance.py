"""The number of this installation in every call (`LPS/Instance`): made once, kept for its whole life."""

import os
from pathlib import Path
from uuid import UUID, uuid4

_FILE = "insi-instance"


def installation_id(folder: Path) -> str:
    """Return the UUID of the installation whose data folder this is; made, with the folder, at first use.

    Raises OSError when the file cannot be read or made, ValueError when it holds something else.
    """
    path = folder / _FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{_FILE}.{os.getpid()}"
        draft.write_text(f"{uuid4()}\n", encoding="ascii")
        try:
            path.hardlink_to(draft)  # whole or not at all, and never over the number another process made meanwhile
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    text = path.read_text(encoding="ascii").strip()
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError(f"{path}: not a UUID; put back the one this installation had") from None
