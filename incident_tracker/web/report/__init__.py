"""The pages of the report to the authority."""
