"""Draws up the draft: each question with its answer, what is missing, and what to think about."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from notifiers.datatilsynet.form import LANGUAGES, Form, FormField, form_from
from notifiers.datatilsynet.speech import Speaker
from notifiers.protocol import NotifierSettingsError, Question, ReportDraft

_HOME = "Europe/Copenhagen"
_NAMES = {"submission": "reference", "case": "journal_number"}


class DatatilsynetReport:
    """The report to the Danish Data Protection Agency."""

    name: ClassVar[str] = "datatilsynet"
    authority: ClassVar[str] = "dk"

    def __init__(self, form: Form) -> None:
        self._form = form

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Build it; `settings["form"]` is the parsed `config/authorities/dk.toml`.

        Raises NotifierSettingsError with every mistake of the file.
        """
        form = settings.get("form")
        if not isinstance(form, Mapping):
            raise NotifierSettingsError(["form: the questions are missing (config/authorities/dk.toml)"])
        return cls(form_from(form))

    def draft(self, record: Mapping[str, Any], language: str) -> ReportDraft:
        """Return the draft in the order of the form on Virk. `language` is `da` or `en`."""
        sheet = _Sheet(self._form, record, language)
        questions = tuple(sheet.question(field) for field in self._form.fields)
        blocks = {field.key for field in self._form.fields if field.blocks}
        return self._draft(
            language,
            sections=tuple((key, title[language]) for key, title in self._form.sections),
            questions=questions,
            blocked_by=tuple(question.key for question in questions if question.missing and question.key in blocks),
        )

    def identifier_warnings(self, identifiers: Mapping[str, str], language: str) -> tuple[str, ...]:
        """Return a sentence for each number that looks unusual, of `reference` and `journal_number`.

        Only ever a warning: the authority's numbers change without notice.
        """
        return tuple(
            known.on_mismatch[language]
            for known in self._form.identifiers
            if (value := identifiers.get(_NAMES.get(known.level, ""), "").strip())
            and not all(pattern.search(value) for pattern in known.patterns)
        )

    def _draft(
        self,
        language: str,
        *,
        sections: tuple[tuple[str, str], ...],
        questions: tuple[Question, ...],
        blocked_by: tuple[str, ...] = (),
    ) -> ReportDraft:
        return ReportDraft(
            authority=self.authority,
            language=language,
            checked_against_live_form=self._form.checked,
            banner="" if self._form.checked else self._form.banner[language],
            sections=sections,
            questions=questions,
            blocked_by=blocked_by,
            form_url=self._form.form_url,
            notes=tuple(note[language] for note in self._form.notes),
        )


class _Sheet:
    """One record being filled into the form, in one language."""

    def __init__(self, form: Form, record: Mapping[str, Any], language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"the report is written in {' or '.join(LANGUAGES)}, not in {language!r}")
        self._form = form
        self._language = language
        self._written = _own_words(form, record.get("report.answers", {}))
        self._record = {**record, **self._overridden()}
        self._findings: Mapping[str, Sequence[str]] = record.get("report.findings", {})
        self.speaker = Speaker(language, str(record.get("report.zone") or _HOME), form.values)

    def question(self, field: FormField) -> Question:
        """Return one question with its answer as it stands."""
        written = self._written.get(field.key, "")
        answer = self._chosen(field, written) if written else self._derived(field)
        required = field.required is not None and field.required.holds(self._record)
        return Question(
            key=field.key,
            canonical=field.canonical,
            section=field.section,
            label=field.label[self._language],
            answer=answer,
            missing=required and not (written or self._is_answered(field)),
            required=required,
            warnings=self._warnings(field, answer, own=bool(written)),
            hint=field.hint[self._language],
            kind=field.kind,
            choices=tuple((code, words[self._language]) for code, words in field.values.items()),
            own_words=field.own_words,
            written=written,
        )

    def _overridden(self) -> dict[str, str]:
        """Return own words under the record's keys, so that conditions see them."""
        answers: dict[str, str] = dict(self._written)
        for field in self._form.fields:
            if field.source and field.key in self._written:
                answers[field.source] = self._written[field.key]
        return answers

    def _chosen(self, field: FormField, written: str) -> str:
        words = field.values.get(written)
        return written if words is None else words[self._language]

    def _derived(self, field: FormField) -> str:
        if field.derived_from is not None:
            known = self._record.get(field.derived_from.key)
            holds = field.derived_from.holds(self._record)
            return self.speaker.word("yes" if holds else "no") if known and known != ["unknown"] else ""
        lines = [
            self._told(field),
            *(self._labelled(part.label[self._language], self._plain(part.key)) for part in field.also),
        ]
        return "\n".join(line for line in lines if line)

    def _is_answered(self, field: FormField) -> bool:
        """Return whether the record answers the question; what stands under a label of its own only adds to it."""
        if field.derived_from is not None:
            return bool(self._derived(field))
        unlabelled = (part.key for part in field.also if not part.label[self._language])
        return bool(self._told(field)) or any(self._plain(key) for key in unlabelled)

    def _plain(self, source: str | None) -> str:
        return self.speaker.say(source, self._record) if source else ""

    def _told(self, field: FormField) -> str:
        """Return what the record says; a time is marked as an estimate, or it is said why there is none."""
        told = self._plain(field.source)
        if field.kind not in ("datetime_or_unknown", "datetime_or_ongoing"):
            return told
        occurrence = self._record.get("timeline.occurrence")
        if told and self._record.get("timeline.dates_estimated"):
            return f"{told}, {self.speaker.word('estimated')}"
        if told:
            return told
        if occurrence == "ongoing_since" and field.kind == "datetime_or_ongoing":
            return self.speaker.word("ongoing")
        if occurrence in ("cannot_be_determined", "tbd"):
            return self.speaker.code("people.count_kind", occurrence)
        return ""

    def _labelled(self, label: str, text: str) -> str:
        if not label or not text:
            return text
        return f"{label} {text}" if label.endswith("?") else f"{label}: {text}"

    def _warnings(self, field: FormField, answer: str, *, own: bool) -> tuple[str, ...]:
        sources = [field.key] if own else [key for key in (field.source, *(part.key for part in field.also)) if key]
        found = [] if field.contact else [kind for source in sources for kind in self._findings_of(source)]
        warnings = list(self._found(found))
        if field.max_length is not None and len(answer) > field.max_length:
            length, limit = self.speaker.number(len(answer)), self.speaker.number(field.max_length)
            warnings.append(self.speaker.word("too_long", length=length, limit=limit))
        if field.pattern is not None and answer and not field.pattern.search(answer):
            warnings.append(self.speaker.word("unusual"))
        return tuple(warnings)

    def _findings_of(self, source: str) -> Sequence[str]:
        """Return what was found in the text that stands under a key, be it own words or the record's."""
        for field in self._form.fields:
            if source in (field.source, field.key) and field.key in self._written:
                return () if field.contact else self._findings.get(field.key, ())
        return self._findings.get(source, ())

    def _found(self, kinds: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.speaker.word(kind) for kind in dict.fromkeys(kinds))


def _own_words(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers written on the report that may stand; recorded facts are never overwritten by them."""
    allowed = {field.key for field in form.fields if field.own_words}
    return {key: text.strip() for key, text in answers.items() if key in allowed and text.strip()}
