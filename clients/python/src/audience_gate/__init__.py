"""Sends a back end's audience events to audience-gate."""

from .client import AudienceGate, Report, Verdict
from .errors import AudienceGateError, BadEvent, Misconfigured, QueueFull, Refused
from .event import hash_email

__all__ = [
    "AudienceGate",
    "AudienceGateError",
    "BadEvent",
    "Misconfigured",
    "QueueFull",
    "Refused",
    "Report",
    "Verdict",
    "hash_email",
]
