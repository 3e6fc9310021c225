"""Settings: one TOML file, the environment over it, secrets from files; typed, frozen, all mistakes at once.

The file is the first of: the one that was named, `$INCIDENT_TRACKER_CONFIG`, `./incident-tracker.toml`,
`/etc/incident-tracker/incident-tracker.toml`. `INCIDENT_TRACKER__SECTION__KEY` overrides a setting, and
`INCIDENT_TRACKER__SECTION__KEY_FILE` reads it from a file, as secret stores do.
"""

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

PLACES = (Path("incident-tracker.toml"), Path("/etc/incident-tracker/incident-tracker.toml"))
PREFIX = "INCIDENT_TRACKER__"
CONFIG_VARIABLE = "INCIDENT_TRACKER_CONFIG"


class SettingsError(Exception):
    """The settings cannot be used. `mistakes` holds one line for each mistake, with the setting's name."""

    def __init__(self, mistakes: list[str]) -> None:
        """Keep every mistake, so that they can be repaired in one go."""
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class Section(BaseModel):
    """A section of the file: frozen, and no setting that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Server(Section):
    """Where the pages are."""

    public_url: str = Field(
        "",
        description="Address that people and providers use, for instance https://brud.example.dk."
        " Empty: http://HOST:PORT. With https, providers call back; without, they are polled.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8072, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="How many reverse proxies of yours stand in front; their X-Forwarded-For is believed.",
    )
    threads: int = Field(8, ge=1, le=64, description="Threads that answer pages.")

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("write it as https://name or https://name:port, without a path")
        if "_" in parts.hostname:
            raise ValueError("a host name with an underscore is refused by SMS providers")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("plain http is for loopback addresses only; use https")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _not_open_to_the_world(self) -> "Server":
        if not self.public_url and not is_loopback(self.host):
            raise ValueError("host is reachable from outside: set public_url to the https address people use")
        return self

    @property
    def is_https(self) -> bool:
        """Return whether people reach the pages over https."""
        return self.public_url.startswith("https://")


class Data(Section):
    """Where files are kept."""

    dir: Path = Field(
        Path("var"),
        description="Folder of the database, the attachments, the keys and the anchors."
        " On several nodes it must be shared for the attachments.",
    )


class DatabaseSection(Section):
    """Which database."""

    url: str = Field(
        "",
        repr=False,
        description="postgresql://user:password@host/name, or empty for SQLite under data.dir.",
    )

    @field_validator("url")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("postgresql", "postgresql+psycopg", "sqlite"):
            raise ValueError("use postgresql://..., sqlite:///file or leave it empty")
        return value


class Security(Section):
    """Keys and limits."""

    master_key_file: Path | None = Field(
        None, description="File with the master key. Empty: `master.key` in data.dir, made at the first start."
    )
    master_key: str = Field("", repr=False, description="The master key itself; better given by a file.")
    session_hours: int = Field(12, ge=1, le=168, description="Hours after which everybody signs in again.")
    idle_minutes: int = Field(60, ge=5, le=1440, description="Minutes without a page after which one signs in again.")
    max_upload_megabytes: int = Field(25, ge=1, le=500, description="Largest attachment, in megabytes.")


class Clock(Section):
    """The clock and the outbox."""

    tick_seconds: float = Field(1.0, gt=0, le=10, description="Seconds between two looks at what is due.")
    poll_seconds: float = Field(
        5.0,
        gt=0,
        le=300,
        description="Seconds between two questions to a provider for delivery states, and for replies"
        " while one may come and there is no public https address.",
    )
    step_minutes: float | None = Field(
        None,
        gt=0,
        le=240,
        description="Minutes until the next on-call contact is told. Empty: as config/escalation/default.toml says.",
    )
    send_deadline_seconds: float = Field(
        20.0, gt=0, le=50, description="Longest time one call to a provider may take."
    )
    ping_url: str = Field(
        "",
        repr=False,
        description="Address outside that is called each minute, only after a check found nothing"
        " due unsent; its silence is your alarm that the clock has stopped.",
    )


class Backup(Section):
    """Backups, which `incident-tracker backup` makes."""

    alarm_after_hours: float = Field(
        26.0,
        ge=0,
        le=8760,
        description="Age of the last backup from which administrators are told each day; 0 never tells.",
    )


class ControllerSection(Section):
    """The first controller, used once at the first start; afterwards the pages hold the truth."""

    name: str = Field("", description="Name of the organisation.")
    cvr: str = Field("", pattern=r"^(\d{8})?$", description="Danish company number, eight digits.")
    time_zone: str = Field("Europe/Copenhagen", description="Zone in which times are shown and typed.")
    language: str = Field("da", pattern="^(da|en)$", description="Language of SMS and pages: da or en.")
    sector: str = Field("private", pattern="^(private|public)$", description="private or public.")
    contact_name: str = Field("", description="Contact point for the authority: name.")
    contact_email: str = Field("", description="Contact point: e-mail.")
    contact_phone: str = Field("", description="Contact point: phone.")
    dpo_name: str = Field("", description="Data protection officer: name, if there is one.")
    dpo_email: str = Field("", description="Data protection officer: e-mail.")
    dpo_phone: str = Field("", description="Data protection officer: phone.")

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("this time zone is not known; write it like Europe/Copenhagen") from None
        return value


class People(Section):
    """The people affected by a breach."""

    phone_countries: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(
        ("DK", "FO", "GL"),
        description="Countries whose phone numbers a list of people may hold, as two capital letters."
        " Every other is left out: far numbers are where forged lists earn money.",
    )


class Routing(Section):
    """Which notifiers carry which channel, in the order of falling back."""

    sms: tuple[str, ...] = Field(("outbox",), min_length=1, description="Notifiers for SMS.")
    email: tuple[str, ...] = Field(("outbox",), min_length=1, description="Notifiers for e-mail.")

    def by_channel(self) -> dict[str, tuple[str, ...]]:
        """Return the notifiers of each channel."""
        return {"sms": self.sms, "email": self.email}


class Settings(Section):
    """Everything that can be set."""

    server: Server = Field(default_factory=Server)
    data: Data = Field(default_factory=Data)
    database: DatabaseSection = Field(default_factory=DatabaseSection)
    security: Security = Field(default_factory=Security)
    clock: Clock = Field(default_factory=Clock)
    backup: Backup = Field(default_factory=Backup)
    controller: ControllerSection = Field(default_factory=ControllerSection)
    people: People = Field(default_factory=People)
    routing: Routing = Field(default_factory=Routing)
    notifiers: Annotated[dict[str, dict[str, Any]], Field(default_factory=dict, repr=False)]

    @property
    def database_url(self) -> str:
        """Return the address of the database; SQLite under the data folder if none is set."""
        return self.database.url or f"sqlite:///{self.data.dir.absolute() / 'incident-tracker.sqlite3'}"

    @property
    def master_key_file(self) -> Path:
        """Return where the master key lies."""
        return self.security.master_key_file or self.data.dir / "master.key"

    @property
    def public_url(self) -> str:
        """Return the address that stands in links and that callbacks are checked against."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.server.public_url or f"http://{host}:{self.server.port}"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_our_host(settings: Settings, host: str, *, local: bool) -> bool:
    """Return whether a request names us as its host; `local`: a name of this machine will do too."""
    if host.casefold() == urlsplit(settings.public_url).netloc.casefold():
        return True
    return local and is_loopback(urlsplit(f"//{host}").hostname or "")


def load(environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """Return the settings, or raise SettingsError with every mistake found."""
    values = _from_file(_choose(environment, file))
    mistakes = _overlay(values, environment)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        mistakes += [_line(one) for one in error.errors(include_input=False, include_url=False)]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _choose(environment: Mapping[str, str], file: Path | None) -> Path | None:
    named = file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError([f"{named}: there is no such file"])
        return named
    return next((place for place in PLACES if place.is_file()), None)


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: this is not TOML: {error}"]) from None
    except OSError as error:
        raise SettingsError([f"{file}: cannot be read ({type(error).__name__})"]) from None


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    mistakes: list[str] = []
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        path = name[len(PREFIX) :].lower().split("__")
        value: Any = text
        if path[-1].endswith("_file") and path[-1] != "master_key_file":
            path[-1] = path[-1].removesuffix("_file")
            try:
                value = Path(text).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                mistakes.append(f"{name}: {text} cannot be read ({type(error).__name__})")
                continue
        _set(values, path, value)
    return mistakes


def _set(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = values[part] = {}
        values = inner
    if path[-1] in ("sms", "email", "phone_countries") and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    values[path[-1]] = value


def _line(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "settings"
    words = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        words = "this setting does not exist; check the spelling"
    return f"{where}: {words}"
