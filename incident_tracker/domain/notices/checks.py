"""What a notice to people must and should have: the list of checks, and what software can see by itself.

The list and the words looked for are data (`config/notices`). Software looks at wording; whether the words are true,
a person ticks.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from incident_tracker.domain.notices import Notice, NoticeText, layout, placeholders, readability

MUST, SHOULD = "must", "should"
AUTO, FIELD, PERSON = "auto", "field", "person"
MOST_STEPS = 5
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:dk|com|net|org|eu|io|ly|gl|me)\b/\S*", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)
_PHONE = re.compile(r"\+?\d(?:[ .-]?\d){7,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORDS = re.compile(r"[\w'\u2019-]+")
_NEAR = 2
"""How many words may stand between "not" and what is not to be done."""
_BEFORE_VERB, _AFTER_VERB = 4, 6
"""How many words a secret may stand before or after the verb that asks for it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One check as the list has it. `says` is what it asks for, in each language."""

    id: str
    group: str
    level: str
    method: str
    basis: str
    confidence: str
    source: str
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for in one language, in lower case."""

    doubting: tuple[str, ...]
    minimising: tuple[str, ...]
    complaint: tuple[str, ...]
    sign_in: tuple[str, ...]
    secrets: tuple[str, ...]
    asking: tuple[str, ...]
    never: tuple[str, ...]
    no: tuple[str, ...]
    attached: tuple[str, ...]
    sensitive: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckList:
    """All checks in order, what is looked for in each language, and the hosts that shorten links."""

    rules: tuple[Rule, ...]
    words: Mapping[str, Words]
    shorteners: tuple[str, ...]

    def rule(self, check_id: str) -> Rule | None:
        """Return one check."""
        return next((one for one in self.rules if one.id == check_id), None)


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one notice. `rule` is what it asks for, `found` what speaks against it, in the notice's own words.

    `ok` counts ticks and dismissals. `method` is `auto` where software decides and nobody can tick.
    """

    id: str
    group: str
    level: str
    method: str
    rule: str
    ok: bool
    found: tuple[str, ...] = ()
    ticked: bool = False
    dismissed: str = ""

    @property
    def can_be_ticked(self) -> bool:
        """Return whether a person answers for it."""
        return self.method != AUTO

    @property
    def can_be_dismissed(self) -> bool:
        """Return whether a person may set it aside with a reason."""
        return self.level == SHOULD


def list_from(checks: Mapping[str, Any], words: Mapping[str, Any]) -> CheckList:
    """Return the checks that the parsed `config/notices/checks.toml` and `words.toml` describe."""
    rules = tuple(
        Rule(
            id=raw["id"],
            group=raw["group"],
            level=raw["level"],
            method=raw["method"],
            basis=raw["basis"],
            confidence=raw["confidence"],
            source=raw.get("source", ""),
            says={"da": raw["da"], "en": raw["en"]},
        )
        for raw in checks["checks"]
    )
    by_language = {
        name: Words(**{kind: tuple(words[name][kind]) for kind in Words.__slots__}) for name in ("da", "en")
    }
    return CheckList(rules, by_language, tuple(words["shorteners"]))


def look_at(notice: Notice, listed: CheckList, contact: str, language: str) -> tuple[Check, ...]:
    """Return every check of a notice with its answer; `contact` is what `{{contact}}` says, empty where unknown."""
    return tuple(_answered(notice, rule, listed, contact, language) for rule in listed.rules)


def _answered(notice: Notice, rule: Rule, listed: CheckList, contact: str, language: str) -> Check:
    look = _LOOKS.get(rule.id)
    found = () if look is None else tuple(look(notice, listed, contact))
    method = rule.method
    if look is not None:
        # Nobody but a person knows whether a mail with delicate words travels encrypted.
        method = PERSON if rule.id == "transport" and found else AUTO
    ticked = method != AUTO and rule.id in notice.ticked
    dismissed = notice.dismissed.get(rule.id, "") if rule.level == SHOULD else ""
    fine = not found if method == AUTO else ticked
    says = rule.says.get(language, rule.says["en"])
    plain = Check(rule.id, rule.group, rule.level, method, says, fine or bool(dismissed), found)
    return replace(plain, ticked=ticked, dismissed=dismissed)


def unfinished(notice: Notice) -> tuple[str, ...]:
    """Return what stands in square brackets: parts of the outline that are still to be written."""
    texts = [part for one in notice.texts.values() for part in (one.subject, one.body, one.sms)]
    return tuple(dict.fromkeys(found for text in texts for found in re.findall(r"\[[^\[\]\n]{2,}\]", text)))


def _each(notice: Notice) -> Iterator[tuple[str, NoticeText]]:
    yield from notice.texts.items()


def _written(text: NoticeText) -> str:
    return f"{text.subject}\n{text.body}\n{text.sms}"


def _phrases(notice: Notice, listed: CheckList, kind: str) -> Iterator[str]:
    for language, text in _each(notice):
        plain = _written(text).casefold()
        for phrase in getattr(listed.words[language], kind):
            if re.search(rf"(?<!\w){re.escape(phrase)}", plain):
                yield f"{language}: {phrase}"


def _actions(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del listed, contact
    for language, text in _each(notice):
        points = layout.steps(text.body)
        if not points or max(points) > MOST_STEPS:
            yield f"{language}: {max(points, default=0)}"


def _contact(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del listed
    for language, text in _each(notice):
        named = "{{" in text.body and placeholders.CONTACT in _names(text.body)
        written = _EMAIL.search(text.body) or _PHONE.search(text.body)
        if not ((named and contact) or written):
            yield f"{language}: {{{{contact}}}}"


def _names(body: str) -> set[str]:
    return {" ".join(found.split()).casefold() for found in re.findall(r"\{\{(.*?)\}\}", body)}


def _doubting(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    yield from _phrases(notice, listed, "doubting")


def _minimising(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    yield from _phrases(notice, listed, "minimising")


def _attached(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    yield from _phrases(notice, listed, "attached")
    for language, text in _each(notice):
        for link in _LINK.findall(_written(text)):
            host = re.sub(r"^https?://", "", link.casefold()).removeprefix("www.").split("/")[0]
            if host in listed.shorteners:
                yield f"{language}: {link}"


def _readable(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del listed, contact
    for language, text in _each(notice):
        reading = readability.measure(text.body, language)
        if not reading.is_easy:
            yield f"{language}: {reading.measure} {reading.value}"


def _complaint(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    for language, text in _each(notice):
        plain = text.body.casefold()
        if not any(word in plain for word in listed.words[language].complaint):
            yield language


def _sign_in(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    for language, text in _each(notice):
        for link in _LINK.findall(_written(text)):
            if any(word.replace(" ", "") in link.casefold().replace("-", "") for word in _all(listed, "sign_in")):
                yield f"{language}: {link}"
        for sentence in _SENTENCE.split(_written(text)):
            if _LINK.search(sentence) and any(word in sentence.casefold() for word in _all(listed, "sign_in")):
                yield f"{language}: {_short(sentence)}"


def _all(listed: CheckList, kind: str) -> tuple[str, ...]:
    return tuple(word for words in listed.words.values() for word in getattr(words, kind))


def _secrets_asked(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    for language, text in _each(notice):
        words = listed.words[language]
        for sentence in _SENTENCE.split(_written(text)):
            if _asks(sentence.casefold(), words):
                yield f"{language}: {_short(sentence)}"


def _asks(sentence: str, words: Words) -> bool:
    """Return whether a sentence asks for a secret; "we never ask for" and "do not enter" do not.

    The verb stands near the secret: a sentence that says which data were seen asks for nothing.
    """
    said = _WORDS.findall(sentence)
    if any(word in words.never for word in said):
        return False
    denied = [place for place, word in enumerate(said) if word in words.no]
    secrets = [
        len(_WORDS.findall(sentence[: found.start()]))
        for one in words.secrets
        for found in re.finditer(rf"(?<!\w){re.escape(one)}", sentence)
    ]
    asked = [
        place
        for place, word in enumerate(said)
        if word in words.asking and not any(abs(place - other) <= _NEAR for other in denied)
    ]
    return any(-_BEFORE_VERB <= secret - place <= _AFTER_VERB for place in asked for secret in secrets)


def _sensitive(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del contact
    yield from _phrases(notice, listed, "sensitive")


def _sms(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    del listed, contact
    for language, text in _each(notice):
        if not text.sms or "sms" not in notice.channels:
            continue
        for link in _LINK.findall(text.sms):
            yield f"{language}: {link}"
        for column in placeholders.columns_used([text.sms]):
            yield f"{language}: {{{{field.{column}}}}}"


def _nothing(notice: Notice, listed: CheckList, contact: str) -> Iterator[str]:
    """Our own doing: a reference in every mail, a ledger for every person, nobody told in public only."""
    del notice, listed, contact
    yield from ()


def _short(sentence: str) -> str:
    line = " ".join(sentence.split())
    most = 80
    return line if len(line) <= most else f"{line[: most - 3]}..."


_Look = Callable[[Notice, CheckList, str], Iterator[str]]
_LOOKS: Mapping[str, _Look] = {
    "actions": _actions,
    "contact": _contact,
    "affected_plain": _doubting,
    "no_minimising": _minimising,
    "readable": _readable,
    "complaint": _complaint,
    "no_login_link": _sign_in,
    "no_data_request": _secrets_asked,
    "reference": _nothing,
    "no_attachment": _attached,
    "transport": _sensitive,
    "reach": _nothing,
    "public_route": _nothing,
    "sms_content_free": _sms,
}


def still_open(checks: Sequence[Check], level: str | None = None) -> tuple[Check, ...]:
    """Return the checks without an answer, all or those of one level."""
    return tuple(one for one in checks if not one.ok and level in (None, one.level))
