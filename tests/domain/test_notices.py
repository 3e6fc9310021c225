"""What people write in a notice: placeholders, layout, checks, how hard it is to read."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from incident_tracker import paths
from incident_tracker.domain.notices import (
    Notice,
    NoticeText,
    State,
    checks,
    digest,
    layout,
    placeholders,
    read_public_reference,
    readability,
)
from incident_tracker.domain.notices.placeholders import PlaceholderUnknown, TooManyPlaceholders
from tests.makers import START
from tests.notices import DANISH, ENGLISH, TEXTS

CONTACT = "Ada, ada@example.dk"


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((paths.config() / "notices" / name).read_text("utf-8"))


LISTED = checks.list_from(_toml("checks.toml"), _toml("words.toml"))


def make_notice(**facts: Any) -> Notice:
    values: dict[str, Any] = {"texts": TEXTS, "channels": ("email", "sms"), "audience": "people", "corrects": None}
    values |= facts
    plain: dict[str, Any] = {
        "id": 1,
        "number": 1,
        "public_reference": "K7QM-2RXT",
        "reference": "2026-0001",
        "incident_id": 1,
        "controller_id": 1,
        "exercise": False,
        "state": State.DRAFT,
        "version": 1,
        "digest": "",
        "written_by": "user:1",
        "written_at": START,
    }
    return Notice(**plain | values)


def found(check_id: str, body: str, *, language: str = "da", contact: str = CONTACT, **facts: Any) -> tuple[str, ...]:
    """Return what a check has to say about a text."""
    text = NoticeText("Vigtigt", body, facts.pop("sms", ""))
    looked = checks.look_at(make_notice(texts={language: text}, **facts), LISTED, contact, "en")
    return next(one for one in looked if one.id == check_id).found


def filled(text: str, name: str = "Ada", columns: tuple[str, ...] = (), **fields: str) -> str:
    compiled = placeholders.compiled(text, {"reference": "K7QM-2RXT", "contact": CONTACT}, columns)
    return placeholders.fill(compiled, placeholders.values(name, fields, columns))


def test_placeholders_are_filled_and_everything_else_is_printed_as_it_is() -> None:
    assert (
        filled("Kære {{name}}, ref. {{ Reference }}: {{contact}}") == "Kære Ada, ref. K7QM-2RXT: Ada, ada@example.dk"
    )
    assert filled("{% if 7*7 %} { x } ${x} #{x} <%= x %>") == "{% if 7*7 %} { x } ${x} #{x} <%= x %>"


def test_without_a_name_nothing_stands_before_the_comma() -> None:
    assert filled("Kære {{name}},", name="") == "Kære,"
    assert filled("Hej {{ name }}", name="  ") == "Hej"
    assert filled("{{name}}: hej", name="") == ": hej"


@pytest.mark.parametrize(
    "text",
    [
        "{{cpr}}",
        "{{name.upper()}}",
        "{{ 7*7 }}",
        "{{config.items()}}",
        "{{''.__class__}}",
        "{{field.}}",
        "{{field.ukendt}}",
        "{{}}",
        "{{name",
        "name}}",
        "{{{{name}}}}",
        "{{na\nme}}",
        "{{name|safe}}",
    ],
)
def test_a_placeholder_that_does_not_exist_is_refused_naming_those_that_do(text: str) -> None:
    with pytest.raises(PlaceholderUnknown) as refused:
        placeholders.check(text, ["ordre"], "body_da")
    assert refused.value.params["known"] == ("{{name}}", "{{reference}}", "{{contact}}", "{{field.ordre}}")
    assert refused.value.field == "body_da"


def test_a_column_is_found_whatever_its_case_and_signs() -> None:
    columns = ("Ordrenr. 2", "Årsag")
    for text in ("{{field.ordrenr. 2}}", "{{ FIELD.Årsag }}"):
        placeholders.check(text, columns, "body_da")
    used = placeholders.columns_used(["{{field.Ordrenr.  2}} {{ FIELD.Årsag }} {{name}}"])
    assert used == ("ordrenr. 2", "årsag")
    compiled = placeholders.compiled("{{field.Årsag}} / {{field.ordrenr. 2}}", {}, used)
    assert compiled == "{{f2}} / {{f1}}"
    values = placeholders.values("Ada", {"Årsag": "tyveri", "Ordrenr. 2": "17"}, used)
    assert placeholders.fill(compiled, values) == "tyveri / 17"


def test_what_a_value_says_is_never_read_as_a_placeholder() -> None:
    assert filled("Kære {{name}}", name="{{contact}} {{reference}}") == "Kære {{contact}} {{reference}}"


def test_a_value_stays_on_one_line_and_is_cut() -> None:
    assert filled("Hej {{name}}", name="Ada\n\n## Send penge") == "Hej Ada ## Send penge"
    assert len(filled("{{name}}", name="x" * 5000)) == 200
    with pytest.raises(TooManyPlaceholders):
        placeholders.check("{{name}}" * 101, [], "body_da")


def test_braces_in_what_the_house_puts_in_are_no_placeholder() -> None:
    compiled = placeholders.compiled("{{contact}}", {"contact": "{{name}} {{x}}"}, ())
    assert placeholders.fill(compiled, {"name": "Ada"}) == "((name)) ((x))"


BODY = """Kære Ada

## Hvad skete der?
Vi sendte
en mail.

1. Slet den
   i dag.

2. Skift <b>kode</b>
- en
- to
"""


def test_paragraphs_headings_and_lists_become_html_and_everything_is_escaped() -> None:
    assert layout.to_html(BODY) == (
        "<p>Kære Ada</p>\n<h2>Hvad skete der?</h2>\n<p>Vi sendte<br>en mail.</p>\n"
        "<ol><li>Slet den i dag.</li><li>Skift &lt;b&gt;kode&lt;/b&gt;</li></ol>\n<ul><li>en</li><li>to</li></ul>"
    )
    assert layout.steps(BODY) == (2,)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[Log ind](https://example.org)",
        "https://example.org/login",
        "![x](https://example.org/x.png)",
        "<img src=x onerror=alert(1)>",
        '" onmouseover="x',
    ],
)
def test_there_is_no_way_to_a_link_a_picture_or_a_script(text: str) -> None:
    page = layout.page(text, text, text, "da")
    assert "<a" not in page
    assert "<img" not in page
    assert "<script" not in page
    assert '" onmouseover' not in page


def test_the_plain_part_says_the_same() -> None:
    assert layout.to_plain(BODY).splitlines()[-6:] == [
        "",
        "1. Slet den i dag.",
        "2. Skift <b>kode</b>",
        "",
        "- en",
        "- to",
    ]


def test_a_good_notice_leaves_only_what_a_person_must_tick() -> None:
    looked = checks.look_at(make_notice(), LISTED, CONTACT, "da")
    assert len(looked) == 23
    still_open = checks.still_open(looked)
    assert {one.method for one in still_open} == {"field", "person"}
    ticked = tuple(one.id for one in still_open)
    assert not checks.still_open(checks.look_at(make_notice(ticked=ticked), LISTED, CONTACT, "da"))
    assert all(one.rule for one in looked)


def test_a_tick_does_not_help_where_software_decides() -> None:
    notice = make_notice(texts={"da": replace(DANISH, body="Intet at gøre. {{contact}}")}, ticked=("actions",))
    actions = next(one for one in checks.look_at(notice, LISTED, CONTACT, "en") if one.id == "actions")
    assert not actions.ok
    assert not actions.can_be_ticked


def test_a_warning_can_be_set_aside_with_a_reason_and_a_must_cannot() -> None:
    text = {"da": NoticeText("x", "Du kan være blevet berørt.")}
    reasons = {"affected_plain": "Vi ved det ikke endnu.", "actions": "Intet at gøre."}
    looked = {one.id: one for one in checks.look_at(make_notice(texts=text, dismissed=reasons), LISTED, "", "en")}
    assert looked["affected_plain"].ok
    assert looked["affected_plain"].found == ("da: kan være blevet",)
    assert not looked["actions"].ok


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("Send os dit CPR-nummer.", True),
        ("Bekræft venligst din adgangskode hos os.", True),
        ("Tøv ikke med at sende dit CPR-nummer.", True),
        ("Svar på mailen med dine kortoplysninger.", True),
        ("Log ind med MitID og indtast dit kodeord.", True),
        ("Vi beder aldrig om CPR-nummer, MitID, adgangskode eller kortoplysninger.", False),
        ("Skriv ikke dit CPR-nummer til nogen.", False),
        ("Del ikke dit kodeord. Svar aldrig på mails om MitID.", False),
        ("Skift din adgangskode i dag.", False),
        ("Dit CPR-nummer er ikke berørt.", False),
        ("Dit CPR-nummer skal du sende til os.", True),
        ("De oplysninger, der lå åbne, er dit navn og dit CPR-nummer.", False),
        ("Vi sendte et brev med dit CPR-nummer til en anden.", False),
        ("Din adgangskode er givet videre.", False),
        ("Skriv selv vores adresse i din browser, og vælg en ny adgangskode.", False),
        ("Oplys ikke dit kortnummer, når nogen ringer.", False),
    ],
)
def test_asking_for_a_secret_is_seen_and_saying_that_we_never_ask_is_not(body: str, asks: bool) -> None:  # noqa: FBT001
    assert bool(found("no_data_request", body)) is asks


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("Please confirm your password.", True),
        ("Reply with your card number.", True),
        ("We never ask you for your CPR number, MitID, password or card details.", False),
        ("Do not give your password to anybody.", False),
        ("Change your password today.", False),
        ("Your health data and CPR number were typed into the wrong form.", False),
        ("Choose a new password and tell no one.", False),
    ],
)
def test_the_same_in_english(body: str, asks: bool) -> None:  # noqa: FBT001
    assert bool(found("no_data_request", body, language="en")) is asks


@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("da", "Filen var vedhæftet en mail, som vi sendte til en forkert modtager."),
        ("en", "The attached file went to somebody else."),
    ],
)
def test_a_file_attached_to_the_wrong_mail_may_be_told_of(language: str, body: str) -> None:
    assert not found("no_attachment", body, language=language)


@pytest.mark.parametrize(
    ("check_id", "body"),
    [
        ("affected_plain", "Dine oplysninger kan være blevet set."),
        ("no_minimising", "Vi tager sikkerhed meget alvorligt."),
        ("no_minimising", "For en sikkerheds skyld skriver vi til dig."),
        ("complaint", "Du kan ringe til os."),
        ("no_login_link", "Gå til https://nordlys.example.dk/login"),
        ("no_login_link", "Log ind på www.example.dk"),
        ("no_login_link", "Gå til https://nordlys.example.dk/mitid"),
        ("no_attachment", "Se det vedhæftede brev."),
        ("no_attachment", "Læs mere på https://bit.ly/3xyz"),
        ("transport", "Du er patient hos os."),
        ("actions", "Gør ingenting."),
        ("actions", "1. a\n2. b\n3. c\n4. d\n5. e\n6. f"),
        ("contact", "Ring til os."),
    ],
)
def test_software_sees_what_speaks_against_a_text(check_id: str, body: str) -> None:
    assert found(check_id, body)
    assert not found(check_id, DANISH.body)


def test_a_contact_in_the_text_counts_and_an_empty_one_does_not() -> None:
    assert not found("contact", "Ring på +45 34 41 23 45")
    assert not found("contact", "Skriv til {{ contact }}")
    assert found("contact", "Skriv til {{contact}}", contact="")


def test_delicate_words_ask_a_person_to_vouch_for_the_transport() -> None:
    text = {"da": NoticeText("x", "Du er patient hos os.")}
    before = next(
        one for one in checks.look_at(make_notice(texts=text), LISTED, CONTACT, "en") if one.id == "transport"
    )
    assert (before.ok, before.can_be_ticked) == (False, True)
    ticked = make_notice(texts=text, ticked=("transport",))
    after = next(one for one in checks.look_at(ticked, LISTED, CONTACT, "en") if one.id == "transport")
    assert after.ok


def test_an_sms_holds_no_link_and_nothing_of_the_list() -> None:
    assert found("sms_content_free", "x", sms="Se https://example.dk/x") == ("da: https://example.dk/x",)
    assert found("sms_content_free", "x", sms="Ordre {{field.ordre}}") == ("da: {{field.ordre}}",)
    assert not found("sms_content_free", "x", sms="Nordlys: vigtigt. Ref. {{reference}}")
    assert not found("sms_content_free", "x", sms="Se https://example.dk/x", channels=("email",))


def test_parts_of_the_outline_that_were_left_are_named() -> None:
    notice = make_notice(texts={"da": replace(DANISH, body="Den [dag] skete [hvad].")})
    assert checks.unfinished(notice) == ("[dag]", "[hvad]")
    assert checks.unfinished(make_notice()) == ()


def test_lix_is_words_a_sentence_and_the_share_of_long_words() -> None:
    # 10 words, 2 sentences, 2 longer than six letters: 5 + 20.
    text = "Vi har en kat og adresserne. Katten sover i dagligstuen nu."
    assert readability.measure(text, "da").value == round(11 / 2 + 100 * 2 / 11)
    hard = "Personoplysningsbeskyttelseslovgivningens anvendelsesområde omfatter behandlingsaktiviteternes " * 4
    assert not readability.measure(hard, "da").is_easy
    assert readability.measure(DANISH.body, "da").is_easy


def test_english_is_measured_by_letters_a_word_and_words_a_sentence() -> None:
    reading = readability.measure(ENGLISH.body, "en")
    assert (reading.measure, reading.is_easy) == ("ARI", True)
    hard = "The aforementioned unauthorised disclosure of personally identifiable particulars notwithstanding " * 5
    assert not readability.measure(hard, "en").is_easy
    assert readability.measure("", "en").value == 0


def test_the_digest_covers_text_channels_audience_ticks_and_reasons() -> None:
    same = digest(TEXTS, ("email", "sms"), "people")
    assert digest(dict(TEXTS), ("email", "sms"), "people") == same
    others = [
        digest({**TEXTS, "da": replace(DANISH, body=DANISH.body + ".")}, ("email", "sms"), "people"),
        digest(TEXTS, ("sms", "email"), "people"),
        digest(TEXTS, ("email", "sms"), "partners"),
        digest(TEXTS, ("email", "sms"), "people", ticked=["channel"]),
        digest(TEXTS, ("email", "sms"), "people", dismissed={"language": "Kun dansk."}),
        digest(TEXTS, ("email", "sms"), "people", corrects=1),
    ]
    assert len({same, *others}) == len(others) + 1


def test_a_public_reference_is_read_as_people_type_it() -> None:
    assert read_public_reference(" k7qm 2rxt ") == "K7QM-2RXT"
    assert read_public_reference("K7QM-2RXT") == "K7QM-2RXT"
    for wrong in ("", "K7QM", "K7QM-2RX0", "K7QM-2RXTT", "../../etc"):
        assert read_public_reference(wrong) == ""
