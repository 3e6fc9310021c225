"""How a public page is put together: whose it is, in which language, with which headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident_tracker.domain import colours as rules
from incident_tracker.domain.parties import Controller
from incident_tracker.services import public_places
from incident_tracker.services.phones import spoken
from incident_tracker.web import current
from incident_tracker.web.guard import public

pages = Blueprint("public", __name__)
BODY_LIMIT = 131_072
"""No person types more than this into a form."""
OTHER = {"da": ("en", "In English"), "en": ("da", "På dansk")}


@dataclass(frozen=True, slots=True)
class Place:
    """The controller behind a page, None where the address names none; `slug` as the address has it."""

    controller: Controller | None
    slug: str | None

    @property
    def name(self) -> str:
        """Return the controller's name."""
        return self.controller.name if self.controller is not None else ""

    @property
    def cvr(self) -> str:
        """Return the company number in pairs, as it is read aloud."""
        plain = self.controller.cvr if self.controller is not None else ""
        return " ".join(plain[start : start + 2] for start in range(0, len(plain), 2))

    @property
    def contact(self) -> Mapping[str, str]:
        """Return how people reach a person there."""
        if self.controller is None:
            return {"name": "", "email": "", "phone": ""}
        point = public_places.reached_by(self.controller)
        return {"name": point.name, "email": point.email, "phone": spoken(point.phone) if point.phone else ""}

    @property
    def colours(self) -> str:
        """Return the address of the style sheet that holds the controller's colour."""
        return url_for("public.colours", slug=self.controller.slug if self.controller is not None else None)

    def path(self, rest: str) -> str:
        """Return an address on these pages, in the language that a link has chosen."""
        return f"{f'/c/{self.slug}' if self.slug else ''}{rest}{chosen()}"


@pages.before_request
def refuse_what_nobody_types() -> None:
    """Refuse large bodies before they are read."""
    request.max_content_length = BODY_LIMIT


@pages.get("/colours.css")
@pages.get("/c/<slug>/colours.css")
@public("the colour of a controller's public pages", csrf=False)
def colours(slug: str | None = None) -> ResponseReturnValue:
    """Give the controller's colour, on which white letters can be read; pages hold no style of their own."""
    controller = place(slug).controller
    colour = rules.usable(controller.colour if controller is not None else "")
    return Response(f":root {{ --house: {colour}; }}\n", 200, mimetype="text/css")


def place(slug: str | None) -> Place:
    """Return whose page is asked for."""
    return Place(public_places.named(current.context(), slug), slug)


def chosen() -> str:
    """Return the query that keeps a language chosen by a link; there is no cookie that could."""
    language = request.args.get("language", "")
    return f"?{urlencode({'language': language})}" if language in OTHER else ""


def show(template: str, where: Place, code: int = 200, **values: object) -> Response:
    """Return a page that says nothing to caches and search engines, and sets no cookie."""
    language = current.language()
    other, other_word = OTHER[language]
    page = render_template(
        template,
        place=where,
        language=language,
        other=other,
        other_word=other_word,
        other_url=f"{request.path}?{urlencode({'language': other})}",
        host=urlsplit(current.context().settings.server.public_url).netloc or request.host,
        address=request.base_url,
        **values,
    )
    answer = make_response(page, code)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
