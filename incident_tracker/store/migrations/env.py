"""What Alembic runs: the migrations, on the connection that `upgrade` holds."""

from alembic import context

from incident_tracker.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    include_schemas=True,
    render_as_batch=True,
)
context.run_migrations()
