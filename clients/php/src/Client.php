<?php

declare(strict_types=1);

namespace AudienceGate;

/**
 * Sends a back end's events to the function `ingest`: each is on the disk before `track` returns, goes out with the same
 * id as often as it takes, and leaves the queue with a verdict.
 */
final class Client
{
    /** The function's own limit, and less than its limit of bytes. */
    private const MOST_EVENTS = 1000;
    private const MOST_BYTES = 1_000_000;

    private readonly Queue $queue;
    private readonly \Closure $onVerdict;
    private readonly \Closure $post;
    private int $limit = self::MOST_EVENTS;

    /**
     * @param string $queue the folder of the queue; only one application uses it, by as many processes as it likes
     * @param string|null $url the address of the function; by default, `AUDIENCE_GATE_URL`
     * @param callable(Verdict): void|null $onVerdict is told every verdict before the event leaves the queue, so that
     *   none is lost; after a crash it may be told again. By default, what was not accepted is written to the error log.
     * @param callable|null $post makes the request in place of `post`, where the host has a way of its own
     */
    public function __construct(
        string $queue,
        private readonly ?string $url = null,
        int $maxEvents = 10_000,
        ?callable $onVerdict = null,
        ?callable $post = null,
    ) {
        $this->queue = new Queue($queue, $maxEvents);
        $this->onVerdict = ($onVerdict ?? self::tellLosses(...))(...);
        $this->post = ($post ?? post(...))(...);
    }

    /**
     * Queues an event, and returns its id as soon as it is on the disk.
     *
     * @param array<string, mixed> $event
     */
    public function track(mixed $event): string
    {
        [$id, $text] = complete($event);
        $this->queue->put($id, $text);
        return $id;
    }

    /**
     * Sends what is queued, and goes on for as long as this many seconds allow; with 0 it does not wait, and ends with the
     * first request that the function takes. What is then left stays queued.
     */
    public function flush(float $seconds = 30): Report
    {
        [$url, $key] = target($this->url);
        $end = microtime(true) + $seconds;
        $report = new Report();
        $this->queue->tidy();
        do {
            $rest = $this->queue->pause()[0] - microtime(true);
            if ($rest > 0 && microtime(true) + $rest > $end) {
                break;
            }
            if ($rest > 0) {
                usleep((int) ceil($rest * 1_000_000));
            }
            $items = $this->take($report);
            if ($items === []) {
                break;
            }
            $split = $this->send($url, $key, $items, $report);
        } while ($split || microtime(true) < $end);
        $report->queued = count($this->queue->ids());
        $report->wait = $report->queued > 0 ? max(0.0, $this->queue->pause()[0] - microtime(true)) : 0.0;
        return $report;
    }

    /** @return list<array{string, string}> as many of the oldest events as one request may hold, with their ids */
    private function take(Report $report): array
    {
        $items = [];
        $bytes = 0;
        foreach ($this->queue->ids() as $id) {
            if (count($items) === $this->limit) {
                break;
            }
            $text = $this->queue->text($id);
            if ($text === null) {
                continue;
            }
            if (!json_decode($text) instanceof \stdClass) {
                $this->settle(new Verdict($id, 'undeliverable', reason: 'its file is damaged'), $report);
                continue;
            }
            $bytes += strlen($text) + 1;
            if ($bytes > self::MOST_BYTES) {
                break;
            }
            $items[] = [$id, $text];
        }
        return $items;
    }

    /**
     * @param list<array{string, string}> $items
     * @return bool whether the next request is to be smaller, and due at once
     */
    private function send(string $url, string $key, array $items, Report $report): bool
    {
        [$status, $body, $asked] = ($this->post)(
            $url,
            ['content-type' => 'application/json', 'apikey' => $key, 'user-agent' => 'audience-gate-php'],
            '[' . implode(',', array_column($items, 1)) . ']',
        );
        $told = json_decode($body, true);
        $results = is_array($told['results'] ?? null) ? $told['results'] : [];
        $error = is_array($told['error'] ?? null) ? $told['error'] : [];
        switch (Outcome::of($status)) {
            case Outcome::Halt:
                $said = isset($error['message']) ? "{$error['message']}; " . ($error['hint'] ?? '') : 'check the address';
                throw new Refused($status, $error['code'] ?? '', "the function answered {$status}: {$said}");
            case Outcome::Split:
                $this->limit = intdiv(count($items) + 1, 2);
                if (count($items) === 1) {
                    $reason = $results[0]['reason'] ?? $error['message'] ?? "the function answered {$status} to it alone";
                    $this->settle(new Verdict($items[0][0], 'undeliverable', reason: $reason), $report);
                }
                return true;
            case Outcome::Settled:
                // A captive portal answers 200 as well: without verdicts there was no answer.
                if ($this->settleAll($items, $results, $report) > 0) {
                    $this->limit = min($this->limit * 2, self::MOST_EVENTS);
                    $this->queue->endPause();
                    return false;
                }
                break;
            case Outcome::Retry:
                break;
        }
        $attempt = $this->queue->pause()[1];
        $wait = max(retry_after($asked), back_off($attempt, random_int(0, 1_000_000) / 1_000_000));
        $this->queue->setPause(microtime(true) + $wait, $attempt + 1);
        return false;
    }

    /**
     * @param list<array{string, string}> $items
     * @param list<array<string, mixed>> $results
     * @return int how many events have a verdict
     */
    private function settleAll(array $items, array $results, Report $report): int
    {
        $settled = 0;
        foreach ($results as $result) {
            $item = $items[$result['index'] ?? -1] ?? null;
            if ($item === null || !in_array($result['status'] ?? '', ['accepted', 'rejected'], true)) {
                continue;
            }
            $this->settle(new Verdict(
                $item[0],
                $result['status'],
                $result['replayed'] ?? false,
                $result['rule_id'] ?? null,
                $result['reason'] ?? '',
                $result['violations'] ?? [],
            ), $report);
            $settled++;
        }
        return $settled;
    }

    /** Tells the verdict first: an event that leaves the queue without one would be lost in silence. */
    private function settle(Verdict $verdict, Report $report): void
    {
        ($this->onVerdict)($verdict);
        $report->{$verdict->replayed ? 'replayed' : $verdict->status}++;
        $this->queue->remove($verdict->id);
    }

    private static function tellLosses(Verdict $verdict): void
    {
        if ($verdict->status !== 'accepted') {
            error_log("audience-gate: {$verdict->id} was {$verdict->status}: {$verdict->rule_id} {$verdict->reason}");
        }
    }
}
