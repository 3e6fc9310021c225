"""The board: whole, and its live part alone for the browser that looks again every half minute."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from incident_tracker.domain.access import Act
from incident_tracker.services import approving, notices, questions
from incident_tracker.web import current
from incident_tracker.web.approvals.said import question
from incident_tracker.web.board.view import board, may_log
from incident_tracker.web.guard import guarded

pages = Blueprint("board", __name__)


@pages.get("/")
@guarded(Act.READ)
def show() -> ResponseReturnValue:
    """Show every open incident, the nearest deadline first."""
    actor = current.actor()
    live = request.headers.get("HX-Request") == "true"
    name = "web/board/_live.html" if live else "web/board/board.html"
    context = current.context()
    asked = [(one, question(one.approval)) for one in approving.waiting(context, actor)]
    return render_template(
        name,
        board=board(context, actor),
        may_log=may_log(actor),
        asked=asked,
        stuck=notices.standing(context, actor),
        questions=questions.waiting(context, actor),
    )
