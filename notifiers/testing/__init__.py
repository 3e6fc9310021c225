"""For authors of notifiers: the contract as tests, and a scripted stand-in for Twilio and SendGrid over real HTTP.

`NotifierContract` is subclassed by the tests of each notifier. `ScriptedProvider` is a server on loopback that the
official clients reach through `api_base`; `python -m notifiers.testing` runs it as a process of its own.
"""

from notifiers.testing.contract import NotifierContract
from notifiers.testing.provider import ScriptedProvider
from notifiers.testing.situations import Situation
from notifiers.testing.steps import Step

__all__ = ["NotifierContract", "ScriptedProvider", "Situation", "Step"]
