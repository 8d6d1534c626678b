<?php

/** What is queued of an event: complete, so that every attempt sends the same, and without any address. */

declare(strict_types=1);

namespace AudienceGate;

/** More than any event can hold that the gate accepts; it bounds the queue. */
const EVENT_BYTES = 65_536;
/** The most bytes of an e-mail address. */
const EMAIL_BYTES = 254;

const UUID = '/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/D';
/** The grammar of the HTML living standard, with a dot in the domain. */
const ADDRESS = '~^[a-z0-9_.!#$%&\'*+/=?^`{|}\~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
    . '(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$~D';

/** A UUID of version 7: first the time, then a count within the millisecond, so that ids sort as they were made. */
function new_id(): string
{
    static $last = [0, 0];
    $ms = max((int) floor(microtime(true) * 1000), $last[0]);
    $count = $ms === $last[0] ? $last[1] + 1 : 0;
    $last = $count < 4096 ? [$ms, $count] : [$ms + 1, 0];
    $random = random_bytes(8);
    $random[0] = chr(ord($random[0]) & 0x3f | 0x80);
    $digits = sprintf('%012x7%03x', ...$last) . bin2hex($random);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split($digits, 4));
}

/** SHA-256 of the normalised address, as every sender makes it; null if it is not an address. */
function hash_email(string $email): ?string
{
    // Of all characters outside ASCII, only these two have a small letter within it.
    $address = strtolower(strtr(trim($email, "\t\n\f\r "), ["\u{130}" => 'i', "\u{212a}" => 'k']));
    return strlen($address) <= EMAIL_BYTES && preg_match(ADDRESS, $address) ? hash('sha256', $address) : null;
}

/** @return array{string, string} the event's id and its text */
function complete(mixed $event): array
{
    if (!is_array($event) || array_is_list($event)) {
        throw new BadEvent('an event is an array with names as its keys; track one at a time');
    }
    $email = $event['email'] ?? null;
    unset($event['email']);
    if (isset($event['id']) && !isset($event['occurred_at'])) {
        throw new BadEvent(
            'an event with an id of its own needs `occurred_at` too, or it would differ when it comes again',
        );
    }
    $id = $event['id'] ?? new_id();
    $id = $event['id'] = is_string($id) ? strtolower($id) : '';
    if (!preg_match(UUID, $id)) {
        throw new BadEvent('`id` is not a UUID; leave it out to get one');
    }
    $event['occurred_at'] ??= (new \DateTimeImmutable('now', new \DateTimeZone('UTC')))->format('Y-m-d\TH:i:s.v\Z');
    if ($email !== null) {
        $hash = is_string($email) ? hash_email($email) : null;
        if ($hash === null) {
            throw new BadEvent('`email` is not an e-mail address');
        }
        $event['metadata'] = [...(array) ($event['metadata'] ?? []), 'email_hash' => $hash];
        unset($event['metadata']['email_hash_kind']);
    }
    // PHP has one empty array for lists and objects.
    if (($event['metadata'] ?? null) === []) {
        $event['metadata'] = new \stdClass();
    }
    $text = text($event);
    if (strlen($text) > EVENT_BYTES) {
        throw new BadEvent('the event has more than ' . EVENT_BYTES . ' bytes');
    }
    return [$id, $text];
}

/** @param array<string, mixed> $event */
function text(array $event): string
{
    try {
        return json_encode(
            $event,
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION,
        );
    } catch (\JsonException $error) {
        throw new BadEvent("the event cannot be written as JSON: {$error->getMessage()}", previous: $error);
    }
}
