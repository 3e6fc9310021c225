import pytest

from incident_tracker.settings import load
from tests.cli.conftest import World

SECRETS = ("hemmelig", "sesam", "ping-uuid")


def _with_secrets(bare: World) -> None:
    bare.settings |= {
        "DATABASE__URL": "postgresql://tracker:hemmelig@db.example.dk/tracker?password=sesam",
        "SECURITY__MASTER_KEY": "hemmelig",
        "CLOCK__PING_URL": "https://hc.example.org/ping-uuid",
        "NOTIFIERS__TWILIO_SMS__AUTH_TOKEN": "hemmelig",
        "NOTIFIERS__TWILIO_SMS__FROM_NUMBER": "+4534412345",
        "NOTIFIERS__STRANGER__COOKIE": "sesam",
    }


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_showing_the_settings_shows_no_secret(bare: World, options: list[str]) -> None:
    _with_secrets(bare)
    shown = bare.done("config", "show", *options)
    assert not [secret for secret in SECRETS if secret in shown]
    for kept in ("postgresql://tracker:(hidden)@db.example.dk/tracker", "https://hc.example.org/", "+4534412345"):
        assert kept in shown


def test_settings_in_a_log_or_a_traceback_show_no_secret(bare: World) -> None:
    _with_secrets(bare)
    named = {f"INCIDENT_TRACKER__{name}": value for name, value in bare.settings.items()}
    shown = repr(load(named))
    assert not [secret for secret in SECRETS if secret in shown]
    assert "poll_seconds" in shown


def test_what_is_shown_is_toml_that_can_be_read_back(bare: World) -> None:
    import tomllib  # noqa: PLC0415

    shown = tomllib.loads(bare.done("config", "show"))
    assert shown["server"]["port"] == 0
    assert shown["routing"]["sms"] == ["outbox"]


def test_settings_that_can_be_used_are_said_to_be(bare: World) -> None:
    assert bare.done("config", "check") == "The settings can be used.\n"
    assert not bare.data.exists()


def test_an_unknown_notifier_is_named_with_those_that_are_installed(bare: World) -> None:
    bare.settings |= {"ROUTING__SMS": "pigeon"}
    line = bare.refused("config", "check", code=3)
    assert line.startswith("routing.sms: there is no notifier 'pigeon'; installed are: ")
    assert "outbox" in line
    assert "twilio_sms" in line


def test_every_mistake_of_every_notifier_is_said_at_once(bare: World) -> None:
    bare.settings |= {"ROUTING__SMS": "twilio_sms,pigeon", "ROUTING__EMAIL": "smtp_email"}
    result = bare("config", "check")
    assert result.exit_code == 3
    said = result.stderr
    for name in ("twilio_sms.account_sid", "twilio_sms.auth_token", "smtp_email.host", "pigeon"):
        assert name in said
    assert "Traceback" not in said


def test_a_settings_file_that_is_not_there_is_named(bare: World) -> None:
    assert (
        bare.refused("--config", "nowhere.toml", "config", "check", code=3) == "nowhere.toml: there is no such file"
    )


def test_a_settings_file_that_is_not_toml_is_named(bare: World) -> None:
    file = bare.folder / "own.toml"
    file.write_text("[server\nport = 1")
    assert "own.toml: this is not TOML" in bare.refused("--config", str(file), "config", "show", code=3)


def test_a_form_that_an_administrator_broke_is_named(bare: World) -> None:
    folder = bare.data / "authorities"
    folder.mkdir(parents=True)
    (folder / "dk.toml").write_text("sections = 3")
    result = bare("config", "check")
    assert result.exit_code == 3
    assert result.stderr.strip()
    (folder / "dk.toml").write_text("= not toml")
    assert "dk.toml: this is not TOML" in bare.refused("config", "check", code=3)
