"""Tools that notifiers share: reading settings, and calling a provider that may never answer."""
