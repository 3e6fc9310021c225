"""The list of partners, and each of them: facts, agreements, its link, what it told us."""

import secrets
from contextlib import closing

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import attachments, partners, phones
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.handing_out import as_download
from incident_tracker.web.partners.forms import AgreementForm, PartnerForm, RemoveForm, ToldForm

pages = Blueprint("partners", __name__, url_prefix="/partners")
_REFUSED = 422


@pages.get("")
@guarded(Act.READ)
def listing() -> ResponseReturnValue:
    """Show the partners, and whose agreement is missing."""
    return _list(PartnerForm(formdata=None, data={"language": current.controller().language, "kind": "processor"}))


@pages.post("")
@guarded(Act.WORK)
def add() -> ResponseReturnValue:
    """Keep another partner."""
    form = PartnerForm()
    if form.validate():
        try:
            new_id = partners.add(current.context(), current.actor(), current.controller().id, form.facts())
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("%(name)s is on the list.", name=form.name.data.strip()), "said")
            return redirect(f"/partners/{new_id}", 303)
    return _list(form, _REFUSED)


@pages.get("/<int:partner_id>")
@guarded(Act.READ)
def show(partner_id: int) -> ResponseReturnValue:
    """Show one partner."""
    return _show(partner_id)


@pages.post("/<int:partner_id>")
@guarded(Act.WORK)
def change(partner_id: int) -> ResponseReturnValue:
    """Write what is known of it anew."""
    form = PartnerForm()
    if form.validate():
        try:
            partners.change(current.context(), current.actor(), partner_id, form.facts())
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("Saved."), "said")
            return _back(partner_id)
    return _show(partner_id, form=form, code=_REFUSED)


@pages.post("/<int:partner_id>/agreements")
@guarded(Act.WORK, uploads=True)
def keep_agreement(partner_id: int) -> ResponseReturnValue:
    """File an agreement."""
    form = AgreementForm()
    form.validate()
    file = form.file.data
    if not isinstance(file, FileStorage) or not file.filename:
        form.file.errors = [_("Choose a file first.")]
        return _show(partner_id, agreement_form=form, code=_REFUSED)
    try:
        with closing(file.stream):
            partners.keep_agreement(
                current.context(),
                current.actor(),
                partner_id,
                file_name=file.filename,
                plain=attachments.pieces_of(file.stream),
                signed_on=form.signed_on.data or "",
            )
    except Refusal as refusal:
        form.place(refusal)
        return _show(partner_id, agreement_form=form, code=_REFUSED)
    flash(_("The agreement is kept, encrypted."), "said")
    return _back(partner_id)


@pages.get("/<int:partner_id>/agreements/<agreement_id>")
@guarded(Act.READ)
def agreement(partner_id: int, agreement_id: str) -> ResponseReturnValue:
    """Hand an agreement out as it came in."""
    found, pieces = partners.read_agreement(current.context(), current.actor(), partner_id, agreement_id)
    return as_download(pieces, found.file_name, size=found.size)


@pages.post("/<int:partner_id>/link")
@guarded(Act.WORK)
def make_link(partner_id: int) -> ResponseReturnValue:
    """Make the partner's link and show it, this once."""
    secret = partners.new_link(current.context(), current.actor(), partner_id)
    return _show(partner_id, link=f"{current.context().settings.public_url}/partner/{secret}")


@pages.post("/<int:partner_id>/link/end")
@guarded(Act.WORK)
def end_link(partner_id: int) -> ResponseReturnValue:
    """Let the partner's link end."""
    partners.end_link(current.context(), current.actor(), partner_id)
    flash(_("The link has ended."), "said")
    return _back(partner_id)


@pages.post("/<int:partner_id>/told")
@guarded(Act.WORK)
def told(partner_id: int) -> ResponseReturnValue:
    """Open an incident from what the partner said by phone or mail."""
    form = ToldForm()
    if form.validate():
        try:
            reference = partners.record_tip(
                current.context(),
                current.actor(),
                partner_id,
                what=form.what.data or "",
                reach=form.reach.data or "",
                once=form.once.data or "",
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("%(reference)s is logged. Decide now since when you are aware.", reference=reference), "said")
            return redirect(f"/incidents/{reference}", 303)
    return _show(partner_id, told_form=form, code=_REFUSED)


@pages.get("/<int:partner_id>/remove")
@guarded(Act.DECIDE)
def ask_remove(partner_id: int) -> ResponseReturnValue:
    """Say what taking a partner off means, and ask for the name."""
    kept = partners.get(current.context(), current.actor(), partner_id)
    return render_template("web/partners/remove.html", form=RemoveForm(), partner=kept.partner)


@pages.post("/<int:partner_id>/remove")
@guarded(Act.DECIDE)
def remove(partner_id: int) -> ResponseReturnValue:
    """Take a partner off the list."""
    kept = partners.get(current.context(), current.actor(), partner_id)
    form = RemoveForm()
    if form.validate() and form.name.data.strip().casefold() == kept.partner.name.casefold():
        partners.remove(current.context(), current.actor(), partner_id)
        flash(_("%(name)s is off the list.", name=kept.partner.name), "said")
        return redirect("/partners", 303)
    if not form.errors:
        form.name.errors = [_("This is not the name. Type %(name)s.", name=kept.partner.name)]
    return make_response(render_template("web/partners/remove.html", form=form, partner=kept.partner), _REFUSED)


def _list(form: PartnerForm, code: int = 200) -> ResponseReturnValue:
    context, actor, controller = current.context(), current.actor(), current.controller()
    page = render_template(
        "web/partners/partners.html",
        form=form,
        kept=partners.listing(context, actor, controller.id),
        may_change=actor.may(Act.WORK, controller.id),
    )
    return make_response(page, code)


def _show(
    partner_id: int,
    *,
    form: PartnerForm | None = None,
    agreement_form: AgreementForm | None = None,
    told_form: ToldForm | None = None,
    link: str = "",
    code: int = 200,
) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    kept = partners.get(context, actor, partner_id)
    if form is None:
        form = PartnerForm(formdata=None)
        form.show(kept.partner)
    page = render_template(
        "web/partners/partner.html",
        kept=kept,
        partner=kept.partner,
        form=form,
        agreement_form=agreement_form or AgreementForm(formdata=None),
        told_form=told_form or ToldForm(formdata=None, data={"once": secrets.token_hex(16)}),
        link=link,
        spoken=phones.spoken,
        limit=context.settings.security.max_upload_megabytes,
        zone=current.zone(),
        may_change=actor.may(Act.WORK, kept.partner.controller_id) and not kept.partner.removed,
        may_remove=actor.may(Act.DECIDE, kept.partner.controller_id) and not kept.partner.removed,
    )
    return make_response(page, code)


def _back(partner_id: int) -> ResponseReturnValue:
    return redirect(f"/partners/{partner_id}", 303)
