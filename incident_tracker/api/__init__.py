"""Floor 6: the API for programs. Thin: it reads JSON, asks a service, answers JSON."""
