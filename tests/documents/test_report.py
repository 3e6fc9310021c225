import io
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import html5lib
import pypdf
import pytest
import typst

from incident_tracker import documents, paths
from incident_tracker.documents import DocumentHead, MissingGlyph
from notifiers.datatilsynet import DatatilsynetReport
from notifiers.protocol import ReportDraft

FORM = tomllib.loads((paths.config() / "authorities" / "dk.toml").read_text(encoding="utf-8"))
REPORT = DatatilsynetReport.from_settings({"form": FORM})
HEAD = DocumentHead(
    controller="Nordlys ApS",
    reference="2026-0001",
    printed_at=datetime(2026, 11, 22, 17, 40, tzinfo=UTC),
    zone="Europe/Copenhagen",
    journal_seq=1234,
    journal_hash="ab12" * 16,
)
NAMES = "Þóra Łukasz Ødegård Žižek Ærøskøbing Ångström Ğül Őze Ņina Ωμέγα Жук"
HOSTILE = (
    '#import "/etc/passwd": * #sys.inputs $x^2$ \\ ) <</S/JavaScript /JS(app.alert(1))>> *fed* _kur_ @ref <lbl> '
    "`raw` // rest /* x */ [c] {d} \"q\" 'p' ~ --- {{ 7*7 }} {% raise %} </dd><script>alert(1)</script>"
)


def make_draft(language: str = "da", **answers: str) -> ReportDraft:
    record: dict[str, Any] = {
        "notification.kind": "new",
        "notification.completeness": "incomplete",
        "controller.name": "Nordlys ApS",
        "timeline.controller_aware": "2026-11-20T15:45:00Z",
        "nature.description": answers.get("description", "Nyhedsbrevet gik ud med alle adresser i Cc."),
        "report.as_of": "2026-11-22T17:40:00Z",
        "report.zone": "Europe/Copenhagen",
        "report.findings": {"nature.description": ["cpr"]} if "found" in answers else {},
    }
    return REPORT.draft(record, language)


def _pdf(draft: ReportDraft, **changed: Any) -> pypdf.PdfReader:
    options: dict[str, Any] = {"head": HEAD, "version": 2, "phase": "initial", **changed}
    return pypdf.PdfReader(io.BytesIO(documents.report_pdf(draft, **options)))


def _text(pdf: pypdf.PdfReader) -> str:
    text = "".join(page.extract_text() for page in pdf.pages)
    return " ".join(text.replace("\u200b", "").split())


def test_the_pdf_is_tagged_and_says_its_language_and_title() -> None:
    pdf = _pdf(make_draft())
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert root["/Lang"] == "da"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Anmeldelse af brud på persondatasikkerheden"
    assert b"pdfuaid:part" in pdf.xmp_metadata.stream.get_data()  # type: ignore[union-attr]


def test_sections_and_questions_are_headings_for_those_who_listen() -> None:
    tags: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, dict):
            tags.append(str(node.get("/S")))
            walk(node.get("/K", []))
        elif isinstance(node, list):
            for child in node:
                walk(child)

    draft = make_draft()
    walk(_pdf(draft).trailer["/Root"]["/StructTreeRoot"]["/K"])
    assert tags.count("/H1") == 1
    assert tags.count("/H2") == len(draft.sections)
    assert tags.count("/H3") == len(draft.questions)


def test_each_page_names_controller_reference_time_of_printing_and_its_number() -> None:
    pdf = _pdf(make_draft())
    count = len(pdf.pages)
    assert count > 1
    for number, page in enumerate(pdf.pages, start=1):
        text = " ".join(page.extract_text().split())
        assert "Nordlys ApS" in text
        assert "2026-0001" in text
        assert "Udskrevet 22.11.2026 kl. 18.40 (UTC+1)" in text
        assert f"Side {number} af {count}" in text
        assert "Journal nr. 1234, " + "ab12" * 16 in text
        assert "Ikke kontrolleret mod den aktuelle formular på Virk" in text


def test_a_checked_form_carries_no_mark() -> None:
    draft = replace(make_draft(), banner="", checked_against_live_form=True)
    assert "Ikke kontrolleret" not in _text(_pdf(draft))


def test_questions_answers_and_what_is_missing_stand_in_the_pdf() -> None:
    text = _text(_pdf(make_draft(found="cpr"), changed=["dk.description"], digest="f" * 64))
    assert "Hvornår blev I bekendt med bruddet? fredag 20. november 2026 kl. 16.45 (UTC+1)" in text
    assert "Trufne foranstaltninger Mangler" in text
    assert "Beskrivelse af bruddet Nyhedsbrevet gik ud med alle adresser i Cc. Ændret siden sidste version" in text
    assert "Bemærk: Svaret ser ud til at indeholde et CPR-nummer." in text
    assert "Til Datatilsynet · Version 2 · første anmeldelse" in text
    assert "f" * 64 in text


def test_the_english_report_is_english() -> None:
    pdf = _pdf(make_draft("en"), phase="final")
    text = _text(pdf)
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert "Printed 2026-11-22 18:40 (UTC+1)" in text
    assert "Not checked against the live form" in text
    assert "final notification" in text


def test_names_of_europe_survive_the_printing() -> None:
    assert NAMES in _text(_pdf(make_draft(description=NAMES)))


def test_what_looks_like_code_is_printed_as_the_text_it_is() -> None:
    pdf = _pdf(make_draft(description=HOSTILE))
    assert HOSTILE.replace(" ", "") in _text(pdf).replace(" ", "")
    for forbidden in ("/OpenAction", "/AA", "/AcroForm"):
        assert forbidden not in pdf.trailer["/Root"]
    kinds = {
        str(one.get("/S"))
        for one in map(pdf.get_object, range(1, int(pdf.trailer["/Size"])))
        if isinstance(one, dict)
    }
    assert not kinds & {"/JavaScript", "/Launch", "/URI"}


def test_a_word_longer_than_a_line_stays_inside_the_margin() -> None:
    pdf = _pdf(make_draft(description="W" * 400))
    assert "W" * 400 in _text(pdf).replace(" ", "")
    rightmost = 0.0

    def measure(text: str, _cm: Any, matrix: list[float], _font: Any, size: float) -> None:
        nonlocal rightmost
        if "W" in text:
            rightmost = max(rightmost, matrix[4] + text.count("W") * size * 0.93)

    for page in pdf.pages:
        page.extract_text(visitor_text=measure)
    assert 0 < rightmost < float(pdf.pages[0].mediabox.width)


@pytest.mark.parametrize(
    ("text", "sign"), [("名 her", "U+540D"), ("glad 😀", "U+1F600"), ("a\x00b", "U+0000"), ("\ud800", "U+D800")]
)
def test_a_sign_the_fonts_lack_is_refused_by_name(text: str, sign: str) -> None:
    with pytest.raises(MissingGlyph) as caught:
        documents.report_pdf(make_draft(description=text), head=HEAD, version=1, phase="initial")
    assert sign in str(caught.value)


def test_a_broken_template_is_our_fault_and_not_the_writers(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> bytes:
        raise typst.TypstError("unknown variable: nonsense")

    monkeypatch.setattr(typst, "compile", broken)
    with pytest.raises(documents.DocumentIsBroken, match="nonsense"):
        documents.report_pdf(make_draft(), head=HEAD, version=1, phase="initial")


def test_the_same_draft_printed_at_the_same_time_is_the_same_file() -> None:
    first, second = (documents.report_pdf(make_draft(), head=HEAD, version=1, phase="initial") for _ in range(2))
    assert first == second


def test_an_exercise_says_so_and_a_young_journal_too() -> None:
    text = _text(_pdf(make_draft(), head=replace(HEAD, exercise=True, journal_seq=None, journal_hash="")))
    assert "ØVELSE: må ikke indgives" in text
    assert "Journal: ingen post endnu" in text


def test_what_blocks_the_filing_is_named() -> None:
    draft = replace(make_draft(), blocked_by=("dk.aware_at",))
    assert "Først skal dette besvares: Hvornår blev I bekendt med bruddet?" in _text(_pdf(draft))


def test_the_html_is_one_well_formed_file_without_scripts_or_outside_parts() -> None:
    page = documents.report_html(make_draft(description=HOSTILE), head=HEAD, version=1, phase="initial")
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert tree.get("lang") == "da"
    assert not {"script", "link", "img", "iframe"} & {str(element.tag) for element in tree.iter()}
    answers = ["".join(one.itertext()) for one in tree.iter("dd")]
    assert HOSTILE in answers
    assert "Ikke kontrolleret mod den aktuelle formular på Virk" in page


def test_the_json_has_the_shape_that_scripts_read() -> None:
    draft = make_draft(found="cpr")
    said = documents.draft_json(draft, version=3, phase="follow_up")
    assert (said["authority"], said["language"], said["version"], said["phase"]) == ("dk", "da", 3, "follow_up")
    assert said["checked_against_live_form"] is False
    assert said["missing"] == list(draft.missing)
    assert said["blocked_by"] == []
    question = next(one for one in said["questions"] if one["key"] == "dk.description")
    assert question["canonical"] == "nature.description"
    assert question["label"] == "Beskrivelse af bruddet"
    assert question["missing"] is False
    assert len(question["warnings"]) == 1
    assert {"key", "canonical", "label", "answer", "missing", "warnings"} <= set(question)
