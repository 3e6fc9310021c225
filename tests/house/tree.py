"""The tree as it is kept: every file that is, or is about to be, committed."""

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDORED = "incident_tracker/web/static/vendor/"
PACKAGES = ("incident_tracker", "notifiers")


@functools.cache
def kept_files() -> tuple[Path, ...]:
    """Return the files of the checkout, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - the git of the machine
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file()))


def under(*folders: str, suffix: str = "") -> list[Path]:
    """Return the kept files under some folders, with a suffix if one is given."""
    wanted = tuple(f"{folder}/" for folder in folders)
    return [path for path in kept_files() if name(path).startswith(wanted) and path.name.endswith(suffix)]


def name(path: Path) -> str:
    """Return the path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()
