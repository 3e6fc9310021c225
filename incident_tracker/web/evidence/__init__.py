"""The pages of the files kept with an incident."""
