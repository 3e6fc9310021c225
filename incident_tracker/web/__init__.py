"""The pages: thin Flask blueprints over the services."""
