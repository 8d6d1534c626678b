<?php

/** What can go wrong here, each as a class of its own, so that a caller can tell one from another. */

declare(strict_types=1);

namespace AudienceGate;

/** Every error of this client. */
class AudienceGateError extends \RuntimeException
{
}

/** The address or the key is missing, or would be sent in the clear. Nothing was sent. */
final class Misconfigured extends AudienceGateError
{
}

/** The event cannot be queued as it is. Nothing was queued. */
final class BadEvent extends AudienceGateError
{
}

/** The queue holds as much as it may, or its folder cannot be written. The event was not queued. */
final class QueueFull extends AudienceGateError
{
}

/** The function refuses the request itself, and would again: a wrong key or address. The events stay queued. */
final class Refused extends AudienceGateError
{
    /** @param string $name the function's own name of it, if it was the function that answered */
    public function __construct(public readonly int $status, public readonly string $name, string $message)
    {
        parent::__construct($message);
    }
}
