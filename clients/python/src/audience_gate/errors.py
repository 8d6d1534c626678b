"""What can go wrong here, each as a class of its own, so that a caller can tell one from another."""


class AudienceGateError(Exception):
    """Every error of this client."""


class Misconfigured(AudienceGateError):
    """The address or the key is missing, or would be sent in the clear. Nothing was sent."""


class BadEvent(AudienceGateError):
    """The event cannot be queued as it is. Nothing was queued."""


class QueueFull(AudienceGateError):
    """The queue holds as much as it may. The event was not queued."""


class Refused(AudienceGateError):
    """The function refuses the request itself, and would again: a wrong key or address. The events stay queued.

    `code` is the function's own name of it, if it was the function that answered.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
