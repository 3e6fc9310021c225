"""E-mail through a mail server of one's own, by SMTP."""

from notifiers.smtp_email.notifier import SmtpEmailNotifier

__all__ = ["SmtpEmailNotifier"]
