"""Secrets, which are always in a file of their own."""

from pathlib import Path


class SecretError(ValueError):
    """A secret that cannot be used. The text names the file and the remedy, never the secret."""


def read_secret(path: str, *, least: int = 1) -> str:
    """Return what the file holds without its final end of line; at least so many characters. Raises SecretError."""
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SecretError(f"{path}: cannot be read ({error.strerror}); give this user the right to") from error
    except UnicodeDecodeError as error:
        raise SecretError(f"{path}: not a text in UTF-8; write the secret alone in that file") from error
    if len(secret) < least:
        raise SecretError(f"{path}: the secret must have at least {least} characters")
    return secret
