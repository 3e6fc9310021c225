"""The pages of the people affected by an incident."""
