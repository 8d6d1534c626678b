<?php

declare(strict_types=1);

namespace AudienceGate;

/** What an answer means for the events it was about. */
enum Outcome
{
    /** It has a verdict for each. */
    case Settled;
    /** Something in the batch is in the way; halve it, and give up on a single event. */
    case Split;
    /** The same ids again, later. */
    case Retry;
    /** No retry can help. */
    case Halt;

    /** Status 0 means that there was no answer. */
    public static function of(int $status): self
    {
        return match (true) {
            in_array($status, [200, 207, 422], true) => self::Settled,
            in_array($status, [400, 413], true) => self::Split,
            in_array($status, [0, 408, 425, 429], true) || $status >= 500 => self::Retry,
            default => self::Halt,
        };
    }
}

/**
 * Doubles from one second to five minutes, and is an hour in the end; the upper half is random, so that clients do not
 * return in step.
 */
function back_off(int $attempt, float $random): float
{
    $ceiling = $attempt < 25 ? min(300, 2 ** $attempt) : 3600;
    return $ceiling / 2 + $random * $ceiling / 2;
}

/** Seconds, or an HTTP date; at most a day, whatever a faulty header says. */
function retry_after(string $header): float
{
    $wait = ctype_digit($header) ? (float) $header : (strtotime($header) ?: 0) - microtime(true);
    return min(max($wait, 0.0), 86_400.0);
}
