"""The pages of the scope assessment."""
