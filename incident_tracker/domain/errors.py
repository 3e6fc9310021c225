"""The ways a request can be refused.

A refusal is written for the person who meets it. `message` is the English sentence and at the same time the
key of the Danish one in the catalogue; the edge (pages, shell) translates and fills it.
"""

from typing import ClassVar


def phrase(english: str) -> str:
    """Mark words that stand inside a sentence, so that the catalogue has them; return them unchanged."""
    return english


class Refusal(Exception):  # noqa: N818 - named for what was refused, not "Error"
    """Something a person asked for is not done, and nothing was changed.

    Parameters may be times, phrases of the catalogue or tuples of them; the edge says each in the reader's language.
    """

    message: ClassVar[str] = "This is not possible."

    def __init__(self, *, field: str | None = None, **params: object) -> None:
        """Remember what was refused: `field` is the form field or argument at fault, the rest fills the text."""
        self.field = field
        self.params = params
        plain = {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in params.items()}
        super().__init__(self.message % plain if plain else self.message)


class NotFound(Refusal):
    """The thing does not exist, or belongs to a controller this person does not serve: the answer is the same."""

    message = "There is nothing called %(what)s here. Check the reference."


class NotAllowed(Refusal):
    """The person's role does not include the act."""

    message = "Your role does not allow this. Ask %(who)s."


class TextIsMissing(Refusal):
    """A text that must say something is empty or blank."""

    message = "Write something here. It cannot be empty."


class TextIsTooLong(Refusal):
    """A text is longer than its column and its readers allow."""

    message = "This is too long: %(length)s characters, at most %(limit)s. Shorten it, or attach it as a file."


class TextHasForbiddenSigns(Refusal):
    """A text holds signs that cannot be stored or printed (NUL and other control characters)."""

    message = "The text holds control characters that cannot be stored (%(names)s). Remove them."
