"""Finds plugins by entry point, and loads only those that the settings name."""

from importlib.metadata import EntryPoint, entry_points

GROUP = "incident_tracker.notifiers"


class UnknownNotifierError(LookupError):
    """The settings name a notifier that is not installed."""

    def __init__(self, name: str, available: tuple[str, ...]) -> None:
        self.name = name
        self.available = available
        known = ", ".join(available) or "none"
        super().__init__(f"there is no notifier {name!r}; installed are: {known}")


class BrokenNotifierError(ImportError):
    """A notifier is installed but cannot be loaded."""

    def __init__(self, plugin: str, origin: str, cause: BaseException) -> None:
        self.plugin = plugin
        super().__init__(f"notifier {plugin!r} ({origin}) cannot be loaded: {type(cause).__name__}: {cause}")


def available() -> tuple[str, ...]:
    """Return the names of the installed plugins, sorted; none of them is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def load(name: str) -> type:
    """Import the plugin called `name` and return its class.

    Raises UnknownNotifierError, which lists what is installed, or BrokenNotifierError, which names the culprit. Two
    packages that claim one name are refused: which of them wins must not depend on the order of a search path.
    """
    found = {entry.value: entry for entry in entry_points(group=GROUP) if entry.name == name}
    if not found:
        raise UnknownNotifierError(name, available())
    entry = next(iter(found.values()))
    if len(found) > 1:
        raise BrokenNotifierError(name, " and ".join(sorted(found)), ValueError("two packages claim this name"))
    plugin = _imported(entry)
    if not isinstance(plugin, type):
        raise BrokenNotifierError(name, entry.value, TypeError("it is not a class"))
    return plugin


def _imported(entry: EntryPoint) -> object:
    try:
        plugin: object = entry.load()
    except (Exception, SystemExit) as cause:
        raise BrokenNotifierError(entry.name, entry.value, cause) from cause
    return plugin
