"""Floor 4: one function for each thing that a person or the clock can ask for; one transaction each."""
