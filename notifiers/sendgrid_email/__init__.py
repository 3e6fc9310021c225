"""E-mail through SendGrid's v3 mail/send, with its official client."""

from notifiers.sendgrid_email.notifier import SendgridEmailNotifier

__all__ = ["SendgridEmailNotifier"]
