<?php

/** What the client tells its caller. */

declare(strict_types=1);

namespace AudienceGate;

/** What became of one event. */
final class Verdict
{
    /**
     * @param string $status `accepted`, `rejected` or `undeliverable`: the function can take it in no request, or its
     *   file is damaged
     * @param string|null $rule_id the first rule that it violates
     * @param list<array{rule_id: string, path: string}> $violations all of them, each with its place
     */
    public function __construct(
        public readonly string $id,
        public readonly string $status,
        public readonly bool $replayed = false,
        public readonly ?string $rule_id = null,
        public readonly string $reason = '',
        public readonly array $violations = [],
    ) {
    }
}

/** What a `flush` did, and what is left to do: `queued` events, and no attempt for `wait` seconds. */
final class Report
{
    public int $accepted = 0;
    public int $replayed = 0;
    public int $rejected = 0;
    public int $undeliverable = 0;
    public int $queued = 0;
    public float $wait = 0.0;
}
