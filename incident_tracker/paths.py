"""Where the files lie that ship beside the code: in a checkout next to the package, in a wheel inside it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """Return the folder of our own templates (pages, messages, reports, fonts)."""
    return _folder("templates")


def config() -> Path:
    """Return the folder of the shipped configuration (regimes, authorities, the canonical fields)."""
    return _folder("config")


def translations() -> Path:
    """Return the folder of the catalogues."""
    return _PACKAGE / "web" / "translations"


def _folder(name: str) -> Path:
    """Return the folder as a wheel carries it, else as the checkout has it.

    A wheel is asked first: there, a folder of the same name beside the package would be a stranger's.
    """
    packed = _PACKAGE / f"_{name}"
    return packed if packed.is_dir() else _PACKAGE.parent / name
