"""What becomes of one row of a list: a person, a person with something left out, or a refusal with its reason."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from incident_tracker.domain import people as rules
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.people import Columns, Meaning
from incident_tracker.services.people.addresses import Addresses
from incident_tracker.services.people.reading import Reason, same_as

NO_ADDRESS = phrase("there is neither an e-mail address nor a phone number")
TOO_MANY_CELLS = phrase("there are %(found)s cells, and the first line names %(wanted)s columns")
HEADER_AGAIN = phrase("this is the line with the names of the columns once more")
NAME_TOO_LONG = phrase("the name is longer than %(limit)s signs")
NAME_IS_A_FORMULA = phrase("the name is a formula of a spreadsheet, not a name")
READ_TWICE = phrase("»%(text)s« seems to be »%(meant)s«, read in the wrong encoding; export the list again as UTF-8")
NEITHER = phrase("%(email)s; %(phone)s")
EMAIL_LEFT_OUT = phrase("without its e-mail address: %(why)s")
PHONE_LEFT_OUT = phrase("without its phone number: %(why)s")
LANGUAGE_IS_OTHER = phrase("in the controller's language: »%(text)s« is neither Danish nor English")
FIELD_LEFT_OUT = phrase("without »%(column)s«: it is longer than %(limit)s signs")
_SHOWN = 80
_NOTHING = frozenset({"", "-", "--", "n/a", "null", "none", "ingen", "(tom)"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A row that can be told, as it is kept; `left_out` are the reasons why some of it is not."""

    name: str
    email: str
    phone: str
    language: str
    fields: Mapping[str, str]
    left_out: list[Reason] = field(default_factory=list)


class Checker:
    """Checks the rows of one list, one after the other."""

    def __init__(self, columns: Columns, language: str, countries: Collection[str]) -> None:
        """Begin; `language` is for people whose own is not given, `countries` those to which SMS are sent."""
        self._columns = columns
        self._width = len(columns.heads)
        self._language = language
        self._addresses = Addresses(countries)
        at = columns.at
        self._emails, self._phones = at.get(Meaning.EMAIL, ()), at.get(Meaning.PHONE, ())
        self._languages = at.get(Meaning.LANGUAGE, ())
        self._names = at.get(Meaning.NAME, ())
        self._parts = (at.get(Meaning.FIRST_NAME, ()), at.get(Meaning.LAST_NAME, ()))

    def check(self, raw: Sequence[str]) -> Checked | Reason:
        """Return what a row says, or why it cannot be taken over."""
        wrong = self._not_a_row(raw)
        if wrong is not None:
            return wrong
        cells = [rules.tidied(rules.meant(cell)) for cell in raw]
        name = self._name(cells)
        if len(name) > rules.NAME_LIMIT:
            return Reason(NAME_TOO_LONG, {"limit": rules.NAME_LIMIT})
        if rules.harmless(name) != name:
            return Reason(NAME_IS_A_FORMULA)
        left_out: list[Reason] = []
        email = self._first(cells, self._emails, self._addresses.email, EMAIL_LEFT_OUT, left_out)
        phone = self._first(cells, self._phones, self._addresses.phone, PHONE_LEFT_OUT, left_out)
        if not email and not phone:
            return _neither(left_out)
        language = self._language_of(cells, left_out)
        return Checked(name, email, phone, language, self._further(cells, left_out), left_out)

    def _not_a_row(self, raw: Sequence[str]) -> Reason | None:
        if len(raw) > self._width and any(map(str.strip, raw[self._width :])):
            return Reason(TOO_MANY_CELLS, {"found": len(raw), "wanted": self._width})
        text = "".join(raw)
        if not text.isascii():
            for cell in raw:
                if meant := rules.read_twice(cell):
                    return Reason(READ_TWICE, {"text": cell[:_SHOWN], "meant": meant[:_SHOWN]})
        wrong = rules.wrong_signs(text)
        if wrong:
            return Reason(wrong)
        if raw[0] == self._columns.heads[0] and same_as(self._columns.heads, raw):
            return Reason(HEADER_AGAIN)
        return None

    def _name(self, cells: Sequence[str]) -> str:
        whole = _filled(cells, self._names)
        if not whole and self._parts != ((), ()):
            whole = " ".join(part for part in (_filled(cells, places) for places in self._parts) if part)
        return whole

    def _first(
        self,
        cells: Sequence[str],
        places: Sequence[int],
        read: Callable[[str], str | Reason],
        says: str,
        left_out: list[Reason],
    ) -> str:
        """Return the first usable address among the columns that hold such; if there is none, note why."""
        why: Reason | None = None
        for place in places:
            text = cells[place] if place < len(cells) else ""
            if text.casefold() in _NOTHING:
                continue
            found = read(text)
            if not isinstance(found, Reason):
                return found
            why = why or found
        if why is not None:
            left_out.append(Reason(says, {"why": why}))
        return ""

    def _language_of(self, cells: Sequence[str], left_out: list[Reason]) -> str:
        text = _filled(cells, self._languages)
        if not text:
            return self._language
        found = rules.language_of(text)
        if found is None:
            left_out.append(Reason(LANGUAGE_IS_OTHER, {"text": text[:_SHOWN]}))
        return found or self._language

    def _further(self, cells: Sequence[str], left_out: list[Reason]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, place in self._columns.further.items():
            text = cells[place] if place < len(cells) else ""
            if len(text) > rules.FIELD_LIMIT:
                left_out.append(Reason(FIELD_LEFT_OUT, {"column": name, "limit": rules.FIELD_LIMIT}))
            elif text:
                found[name] = text
        return found


def _filled(cells: Sequence[str], places: Sequence[int]) -> str:
    """Return the first of these cells that says something."""
    for place in places:
        if place < len(cells) and cells[place].casefold() not in _NOTHING:
            return cells[place]
    return ""


def _neither(left_out: Sequence[Reason]) -> Reason:
    """Return why nobody can be told by a row: what is wrong with its address, or with both."""
    why = [one.params["why"] for one in left_out]
    if not why:
        return Reason(NO_ADDRESS)
    return why[0] if len(why) == 1 else Reason(NEITHER, {"email": why[0], "phone": why[1]})  # type: ignore[return-value]
