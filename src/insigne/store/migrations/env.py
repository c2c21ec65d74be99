"""What alembic runs: the revisions, over the connection given by `store.migrate`."""

from alembic import context

from insigne.store.schema import metadata

# Batch mode: SQLite changes a column by copying its table.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
