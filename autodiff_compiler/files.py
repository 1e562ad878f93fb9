"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

OWNERS = 0o666  # what a new file may be used for, less the umask


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file, whole or not at all; links are followed, and a file's mode is kept.

    Raises `OSError`, `FileNotFoundError` if the folder is missing.
    """
    if os.fspath(path).startswith("/dev/"):  # what is open already goes on
        with open(path, "a", encoding="utf-8", newline="\n") as file:
            file.write(text)
        return
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is not a folder to write {target.name} into")
    if target.exists() and not target.is_file():
        # A device or a pipe has no other half.
        target.write_text(text, encoding="utf-8", newline="\n")
        return
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNERS)
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, str(target)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
