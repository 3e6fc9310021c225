"""The parts on sample pages, rendered by a plain Jinja environment: no application is needed to look at the look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from wtforms import (
    BooleanField,
    FileField,
    Form,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from incident_tracker.web.drawing.dial import dial
from incident_tracker.web.drawing.ring import ring
from incident_tracker.web.drawing.strip import axis, strip
from incident_tracker.web.drawing.timeline import Happening, Words, timeline, timelines

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "incident_tracker" / "web" / "static"
ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 22, 18, 31, tzinfo=UTC)
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
DUE = AWARE + timedelta(hours=72)
DAYS = ("man", "tir", "ons", "tor", "fre", "lør", "søn")
YES_NO = [SelectChoice("y", "Ja"), SelectChoice("n", "Nej"), SelectChoice("u", "Ved ikke")]
LONG_DAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")


class Understood(StringField):
    understood = "Fredag 20. november 2026 kl. 16.45, UTC+1"


class PartsForm(Form):
    aware_at = Understood("Hvornår blev I bekendt med bruddet?", default="i fredags 16.45")
    reason = StringField("Begrundelse")
    going_on = RadioField("Er det stadig i gang?", choices=YES_NO, default="n")


class StopForm(Form):
    reference = StringField("Reference", default="2026-0007")


@dataclass
class Sample:
    drawing: Any
    sentence: str
    name: str
    reason_url: str = ""


def environment(translations: Any = None, extra: Path | None = None) -> Environment:
    """Make the strict environment that the templates are promised, with addresses as the browser test serves them."""
    folders = [ROOT / "templates", ROOT / "tests" / "browser" / "samples", *([extra] if extra else [])]
    env = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    if translations is None:
        env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    else:
        env.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    env.globals["url_for"] = lambda endpoint, filename: f"/{endpoint}/{filename}"
    return env


def parts(theme: str = "") -> dict[str, Any]:
    """Give the page of parts its facts: every state of the dial and of the small ring."""
    hours = timedelta(hours=1)

    def facts(state: str, elapsed: float, settled: float | None = None) -> dict[str, Any]:
        start = NOW - elapsed * hours
        due = None if state == "suspected" else start + 72 * hours
        done = None if settled is None else start + settled * hours
        return {"state": state, "now": NOW, "start": start, "due": due, "settled": done}

    shown = [
        (facts("open", 8.6), "2 d 15 t tilbage", "åben"),
        (facts("approaching", 72 - 5.2), "5 t 12 min tilbage", "nærmer sig, 24 t eller mindre"),
        (facts("overdue", 73 + 5 / 60), "1 t 5 min over fristen", "overskredet"),
        (facts("met", 60, 43), "Opfyldt 1 d 5 t før fristen", "opfyldt"),
        (facts("met_late", 90, 76), "Opfyldt 4 t efter fristen", "opfyldt for sent"),
        (facts("set_aside", 20), "Bortfaldet", "bortfaldet"),
        (facts("suspected", 2 + 51 / 60), "2 t 51 min siden konstateret", "ingen fast frist, tæller op"),
    ]
    form = PartsForm()
    form.reason.errors = ("Skriv, hvorfor I ikke anmelder.",)
    return {
        "dials": [
            Sample(dial(**given), sentence, name, "/incidents/2026-0007/deadlines" if name == "bortfaldet" else "")
            for given, sentence, name in shown
        ],
        "rings": [Sample(ring(**given), sentence, name.split(",")[0]) for given, sentence, name in shown],
        "form": form,
        "stop_form": StopForm(),
        "theme": theme,
        "language": "da",
    }


def frame(current: str = "board", theme: str = "") -> SimpleNamespace:
    """Give the layout its frame, as on the pictures."""
    entries = [
        ("board", "Tavle", "radar", None),
        ("incidents", "Hændelser", "list-tree", 4),
        ("on_call", "Vagt", "phone-call", None),
        ("settings", "Indstillinger", "settings-2", None),
    ]
    return SimpleNamespace(
        controller_name="Nordlys ApS",
        cvr="00 00 00 00",
        controllers=[SimpleNamespace(name="Nordlys ApS", url="/", current=True)],
        entries=[
            SimpleNamespace(key=key, label=label, url=f"/{key}", icon=icon, count=count, current=key == current)
            for key, label, icon, count in entries
        ],
        now_text="19.31",
        now_iso=NOW.isoformat(),
        date_text="søndag 22. november",
        zone_text="dansk tid (UTC+1)",
        zone="Europe/Copenhagen",
        clock=SimpleNamespace(state="running", age="2 s", last_seen="19.31"),
        on_call=SimpleNamespace(name="Ben", url="/on-call"),
        log_url="/incidents/new",
        log_current=False,
        user=SimpleNamespace(name="Ada", role="databeskyttelse"),
        language="da",
        language_url="/language/en",
        language_other="English",
        theme=theme,
        theme_url="/settings/theme",
        sign_out_url="/sign-out",
        csrf="token",
        troubles=[],
        messages=[],
    )


def short_day(day: date, *, short: bool = True) -> str:
    return f"{DAYS[day.weekday()]} {day.day}." if short else f"{LONG_DAYS[day.weekday()]} {day.day}."


def board(theme: str = "") -> dict[str, Any]:
    """Give the sample board its lanes: running, suspected, running, met."""
    hour = timedelta(hours=1)
    suspected = NOW - timedelta(hours=2, minutes=51)
    second = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
    fourth = NOW - timedelta(hours=77)
    shared = axis(
        starts=[AWARE, second],
        dues=[DUE, second + 72 * hour],
        now=NOW,
        zone=ZONE,
        day_text=short_day,
    )
    hours_72, met_at = 72 * hour, fourth + 43 * hour
    given = [
        ("Kundeliste lå åbent på webserveren", "2026-0007 · Clara", "approaching", AWARE, DUE, None),
        ("Ukendt login på backup hos Skyhost", "2026-0009 · ingen endnu", "suspected", suspected, None, None),
        ("Nyhedsbrev sendt med alle adresser i Cc", "2026-0008 · Ben", "open", second, second + hours_72, None),
        ("Bærbar stjålet fra varevogn", "2026-0006 · 64 breve venter", "met", fourth, fourth + hours_72, met_at),
    ]
    notes = (
        "man 23. nov. kl. 16.45",
        "Konstateret for 2 t 51 min siden",
        "tir 24. nov. kl. 10.05",
        "anmeldt 1 d 5 t før fristen",
    )
    lanes = []
    for (title, meta, state, start, due, settled), note in zip(given, notes, strict=True):
        facts: dict[str, Any] = {"state": state, "start": start, "due": due, "settled": settled}
        asks = [suspected + n * hour for n in (4, 12, 24, 48)] if state == "suspected" else []
        lanes.append(
            SimpleNamespace(
                title=title,
                meta=meta,
                state=state,
                note=note,
                ring=ring(now=NOW, **facts),
                dial=dial(now=NOW, **facts),
                strip=strip(shared, asks=asks, **facts),
            )
        )
    top = dial(state="approaching", now=NOW, start=AWARE, due=DUE)
    return {"frame": frame("board", theme), "axis": shared, "lanes": lanes, "top": top}


def story() -> dict[str, Any]:
    """Give the facts of the sample incident's time line."""

    def at(day: int, hour: int, minute: int) -> datetime:
        return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)

    return {
        "state": "approaching",
        "happenings": [
            Happening("Skete", "12. nov. ca. 09", at(12, 9, 0), approximate=True),
            Happening("Konstateret", "fre 16.10", at(20, 16, 10)),
            Happening("Alarm", "16.12", at(20, 16, 12), "alarm"),
            Happening("Kvitteret", "16.14, Ben", at(20, 16, 14), "alarm"),
            Happening("Begrænset", "18.05", at(20, 18, 5)),
            Happening("Udkast til anmeldelse", "lør 11.20", at(21, 11, 20), "report"),
            Happening("Underretning sendes", "søn 19.12", at(22, 19, 12), "notice"),
        ],
        "aware": AWARE,
        "due": DUE,
        "now": NOW,
        "zone": ZONE,
        "ladder_hours": (48, 24, 12, 6, 3, 1),
        "words": Words(
            aware="Blev bekendt",
            aware_when="fre 16.45",
            due="Frist",
            due_when="man 16.45",
            reminders="Påmindelser",
            day=lambda day, short: short_day(day).split()[0] if short else short_day(day, short=False),
            merged=lambda count, first, last: f"{count} mærker\n{first.when}-{last.when}",
        ),
    }


def incident(theme: str = "") -> dict[str, Any]:
    """Give the sample incident its dial, duties, story and tabs."""
    facts: dict[str, Any] = {"now": NOW, "start": AWARE, "due": DUE}
    running, none = ring(state="approaching", **facts), ring(state="none", now=NOW)
    tabs = [
        ("Overblik", "", "", "", "list-tree"),
        ("Omfang", "done", "", "vurdering 3", "users"),
        ("Risiko", "done", "", "høj, godkendt", "users"),
        ("Frister", "", "", "1 nærmer sig", "timer"),
        ("Opgaver", "", "4 af 7", "4 af 7", "circle-dashed"),
        ("Anmeldelse", "", "", "", "circle-alert"),
        ("Personer", "", "", "12.400", "users"),
        ("Underretning", "", "75 %", "74,9 % sendt", "circle-dashed"),
        ("Partnere", "", "1", "1 har svaret", "circle-check"),
        ("Bilag", "", "6", "6", "paperclip"),
        ("Journal", "", "", "41 poster", "history"),
    ]
    return {
        "frame": frame("incidents", theme),
        "dial_drawing": dial(state="approaching", **facts),
        "duties": [
            (running, "Anmeld til Datatilsynet", "art. 33, stk. 1", "21 t 14 min"),
            (none, "Underret de berørte", "art. 34, uden unødig forsinkelse", "74,9 % sendt"),
            (running, "Fortæl alle parter", "jeres eget løfte, 72 timer", "21 t 14 min"),
            (none, "Fuldfør anmeldelsen", "art. 33, stk. 4, i etaper", "når I har anmeldt"),
        ],
        "drawings": timelines(**story()),
        "phone": timeline(width=326, phone=True, **story()),
        "rows": [("Skete", "torsdag 12. november ca. kl. 09"), ("Frist", "mandag 23. november kl. 16.45")],
        "tabs": [
            {"label": label, "url": f"#{n}", "current": n == 0, "done": bool(done), "note": note, "more": more,
             "missing": "3 mangler" if label == "Anmeldelse" else "", "icon": icon}
            for n, (label, done, note, more, icon) in enumerate(tabs)
        ],
    }  # fmt: skip


class SuspicionForm(Form):
    """One field of each kind that the macro draws."""

    what = TextAreaField("Hvad er der sket?")
    at = StringField("Hvornår opdagede du det?")
    going_on = RadioField("Er det stadig i gang?", choices=YES_NO)
    kind = SelectField("Art", choices=[SelectChoice("a", "Fortrolighed"), SelectChoice("b", "Integritet")])
    parts = RadioField(
        "Hvem?", choices=[SelectChoice(str(n), f"Gruppe {n}") for n in range(4)], validators=[Optional()]
    )
    sure = BooleanField("Jeg er sikker")
    secret = PasswordField("Adgangskode")
    bilag = FileField("Bilag", validators=[Optional()])


def form_page(theme: str = "", *, wrong: bool = False) -> dict[str, Any]:
    """Give the form page its form, empty or with two fields to put right."""
    form = SuspicionForm()
    if wrong:
        form.at.errors = ("Søndag 22. november kl. 21.15 er ikke kommet endnu. Klokken er 19.31.",)
        form.going_on.errors = ("Vælg et svar.",)
    return {
        "frame": frame("incidents", theme),
        "form": form,
        "title": None,
    }


def signed_out() -> dict[str, Any]:
    """Give the frame of the pages outside its facts."""
    public = SimpleNamespace(
        controller_name="Nordlys ApS", language="da", language_url="", language_other="", theme="", messages=[]
    )
    return {"public": public}
