"""Floor 2: the database. Nothing else knows a table."""
