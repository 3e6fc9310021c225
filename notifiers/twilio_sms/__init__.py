"""SMS through Twilio's Programmable Messaging, with its official client."""

from notifiers.twilio_sms.notifier import TwilioSmsNotifier

__all__ = ["TwilioSmsNotifier"]
