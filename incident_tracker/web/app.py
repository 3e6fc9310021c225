"""The pages put together. `create_app` never starts the clock."""

from flask import Flask
from flask_babel import Babel

from incident_tracker import paths, rendering
from incident_tracker.bootstrap import Tracker
from incident_tracker.web import current, errors, frame, guard, health, languages, look, security, webhooks
from incident_tracker.web.alerts.pages import pages as alert_pages
from incident_tracker.web.approvals.outside import pages as outside_approval_pages
from incident_tracker.web.approvals.pages import pages as approval_pages
from incident_tracker.web.board.pages import pages as board_pages
from incident_tracker.web.evidence.pages import pages as evidence_pages
from incident_tracker.web.first_run.pages import pages as first_run_pages
from incident_tracker.web.inbox.questions import pages as question_pages
from incident_tracker.web.inbox.reports import pages as inbox_pages
from incident_tracker.web.incidents.deadlines import pages as deadline_pages
from incident_tracker.web.incidents.deciding import pages as deciding_pages
from incident_tracker.web.incidents.pages import pages as incident_pages
from incident_tracker.web.notices.acting import pages as notice_pages
from incident_tracker.web.notices.told import pages as told_pages
from incident_tracker.web.on_call.pages import pages as on_call_pages
from incident_tracker.web.outbox.pages import pages as outbox_pages
from incident_tracker.web.partners.concerned import pages as incident_partner_pages
from incident_tracker.web.partners.pages import pages as partner_pages
from incident_tracker.web.partners.telling import pages as partner_tip_pages
from incident_tracker.web.people.pages import pages as people_pages
from incident_tracker.web.public.notices import pages as public_pages
from incident_tracker.web.report.filing import pages as report_pages
from incident_tracker.web.scope.pages import pages as scope_pages
from incident_tracker.web.settings.pages import pages as settings_pages
from incident_tracker.web.settings.tokens import pages as token_pages
from incident_tracker.web.settings.users import pages as user_pages
from incident_tracker.web.sign_in.pages import pages as sign_in_pages

NOUNS = (
    health.pages,
    look.pages,
    sign_in_pages,
    first_run_pages,
    on_call_pages,
    settings_pages,
    user_pages,
    token_pages,
    board_pages,
    incident_pages,
    deciding_pages,
    deadline_pages,
    alert_pages,
    approval_pages,
    outside_approval_pages,
    outbox_pages,
    webhooks.pages,
    scope_pages,
    report_pages,
    evidence_pages,
    people_pages,
    notice_pages,
    told_pages,
    partner_pages,
    incident_partner_pages,
    partner_tip_pages,
    public_pages,
    inbox_pages,
    question_pages,
)
"""One blueprint a noun."""


def create_app(tracker: Tracker) -> Flask:
    """Return the pages of a tracker; the clock and the outbox are not started."""
    app = Flask("incident_tracker.web", template_folder=str(paths.templates()))
    form_key = tracker.context.keyring.form_key()
    app.secret_key = form_key
    app.extensions["incident_tracker"] = tracker
    security.secure(app, tracker.settings)
    guard.watch(app, form_key)
    security.version_static(app)
    Babel(app, default_locale="en", locale_selector=current.choose_language)
    rendering.configure(app.jinja_env)
    app.jinja_env.globals.update(languages.globals_of_pages())
    app.context_processor(frame.variables)
    errors.answer(app)
    for pages in NOUNS:
        app.register_blueprint(pages)
    return app
