<?php

/** One request. */

declare(strict_types=1);

namespace AudienceGate;

const TIME_LIMIT_SECONDS = 15;

/**
 * The address and the key. The key comes from the environment alone, so that it stands in no source.
 *
 * @return array{string, string}
 */
function target(?string $url): array
{
    $address = $url ?? (getenv('AUDIENCE_GATE_URL') ?: null);
    $key = getenv('AUDIENCE_GATE_KEY') ?: null;
    if ($address === null) {
        throw new Misconfigured('set AUDIENCE_GATE_URL to the address of the function `ingest`');
    }
    if ($key === null) {
        throw new Misconfigured('set AUDIENCE_GATE_KEY to a secret key of the project');
    }
    $parts = parse_url($address) ?: [];
    $local = in_array($parts['host'] ?? '', ['localhost', '127.0.0.1', '[::1]'], true);
    $scheme = $parts['scheme'] ?? '';
    if ($scheme !== 'https' && !($scheme === 'http' && $local)) {
        throw new Misconfigured(
            'the address of the function must begin with https://, or the key could be read on the way',
        );
    }
    return [$address, $key];
}

/**
 * @param array<string, string> $headers
 * @return array{int, string, string} the status, 0 if there was no answer; the body; Retry-After
 */
function post(string $url, array $headers, string $body): array
{
    $lines = array_map(static fn (string $name): string => "{$name}: {$headers[$name]}", array_keys($headers));
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => $lines,
        'content' => $body,
        'timeout' => TIME_LIMIT_SECONDS,
        'ignore_errors' => true,
        // Where it leads is not where the key belongs.
        'follow_location' => 0,
        'protocol_version' => 1.1,
    ]]);
    $stream = @fopen($url, 'r', false, $context);
    if ($stream === false) {
        return [0, '', ''];
    }
    $text = stream_get_contents($stream);
    $meta = stream_get_meta_data($stream);
    fclose($stream);
    if ($text === false || $meta['timed_out']) {
        return [0, '', ''];
    }
    $answered = array_values($meta['wrapper_data'] ?? []);
    preg_match('~^HTTP/\S+ (\d{3})~', $answered[0] ?? '', $status);
    $asked = preg_grep('/^retry-after:/i', $answered);
    return [(int) ($status[1] ?? 0), $text, trim(substr((string) reset($asked), strlen('retry-after:')))];
}
