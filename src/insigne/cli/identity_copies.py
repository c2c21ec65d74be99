"""`insigne identity proof-copy`, and the copy that `record-proof` keeps: documents under a key of the site."""

import os
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from insigne.access import Right
from insigne.access.copies import EXTENSIONS, NONCE_BYTES, CopyError, Vault, media_of
from insigne.access.document_copy import DocumentCopy
from insigne.app.clock import rfc3339_now
from insigne.cli.common import Context, Exit, emit, examples, fail, group_app
from insigne.cli.desk import As, Desk, at_desk
from insigne.cli.identity import IdArgument
from insigne.ins.proof import copy_expires
from insigne.net.secrets import SecretError, read_secret
from insigne.registry.state import Identity
from insigne.store.audit import AuditEntry
from insigne.store.moments import rfc3339

app = group_app("The copies of identity documents.")


@app.command(
    "proof-copy",
    epilog=examples(
        "insigne identity proof-copy 'INSIGNE|12' piece.jpg --as claire.dupont",
        "insigne identity proof-copy 'INSIGNE|12' piece.jpg --copy 01JMS7Q4 --as claire.dupont --json",
    ),
)
def proof_copy(
    ctx: typer.Context,
    identity: IdArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the document, in the clear.")],
    *,
    copy: Annotated[str, typer.Option("--copy", metavar="ID", help="Which copy; the last one kept by default.")] = "",
    user: As = "",
) -> None:
    """Write the copy kept of an identity document to a file. Who reads it is written in the audit trail.

    The right is document.read. Exit status 1 when no copy is kept any more, 2 when the key is not there.
    """
    context = Context.of(ctx)
    vault = vault_of(context)
    with at_desk(context, user, Right.DOCUMENT_READ) as desk:
        found = _chosen(desk, desk.named(identity), copy)
        try:
            content = vault.open(found)
        except CopyError as error:
            fail(Exit.PROBLEMS, str(error))
        with desk.base.store.begin() as transaction:
            details = {"identity": found.identity, "document": found.document}
            transaction.record(AuditEntry(desk.user.author, "proof-copy-read", found.id, rfc3339_now(), details))
            transaction.commit()
    _write(file, content)
    if context.json:
        emit({"copy": found.id, "document": found.document, "media": found.media, "expires": rfc3339(found.expires)})
    else:
        typer.echo(f"{file} ({found.media}, {found.document}) ; la copie sera effacée le {found.expires:%Y-%m-%d}")


def vault_of(context: Context) -> Vault:
    """The key of the site; the command ends when it is not there (exit 2)."""
    path = context.config.proof.copy_key_file
    if not path:
        fail(
            Exit.USAGE,
            "proof.copy_key_file is not set: copies of documents are kept encrypted only; make a key with "
            "`openssl rand -hex 32 > FILE`, keep it apart from the base, and name the file there",
        )
    try:
        return Vault(read_secret(path))
    except (SecretError, CopyError) as error:
        fail(Exit.USAGE, f"proof.copy_key_file: {error}")


def read_copy(context: Context, file: Path | None) -> bytes:
    """The document to keep, b"" when there is none; checked before anybody acts (exit 2)."""
    if file is None:
        return b""
    vault_of(context)
    most = context.config.proof.copy_max_bytes
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
        media_of(content, most)
    except OSError as error:
        fail(Exit.USAGE, f"--copy: {file}: {error.strerror or error}")
    except CopyError as error:
        fail(Exit.USAGE, f"--copy: {file}: {error}")
    return content


def sealed_copy(desk: Desk, identity: Identity, document: str, content: bytes) -> DocumentCopy:
    """The copy as it is kept, until the years of the settings have passed."""
    settings = desk.context.config.proof
    vault, now, copy_id = vault_of(desk.context), datetime.now(UTC), desk.base.new_id()
    return DocumentCopy(
        id=copy_id,
        identity=identity.id,
        document=document,
        media=media_of(content, settings.copy_max_bytes),
        author=desk.user.author,
        created=now,
        expires=datetime.combine(copy_expires(now.date(), settings.copy_years), time(), UTC),
        vault=vault.name,
        content=vault.seal(content, identity.id, copy_id, os.urandom(NONCE_BYTES)),
    )


def _chosen(desk: Desk, identity: Identity, wanted: str) -> DocumentCopy:
    with desk.base.store.read() as view:
        copies = [copy for one in (identity.id, *identity.absorbed) for copy in view.copies_of(one)]
    copies = [copy for copy in copies if (copy.id == wanted if wanted else copy.content is not None)]
    if not copies:
        fail(Exit.PROBLEMS, f"{wanted or 'this identity'}: no copy of a document is kept")
    return max(copies, key=lambda copy: copy.id)


def _write(file: Path, content: bytes) -> None:
    """Write a new file, for this user alone; all of it, or nothing stays in the clear."""
    try:
        opened = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        try:
            with opened:
                opened.write(content)
        except OSError:
            file.unlink()
            raise
    except OSError as error:
        known = ", ".join(EXTENSIONS.values())
        fail(Exit.USAGE, f"{file}: {error.strerror or error}; name a new file ({known})")
