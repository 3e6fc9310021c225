"""Settings, accounts and controllers."""
