<?php

/**
 * Plugin Name: audience-gate
 * Description: Sends audience events to audience-gate: the pages' own by its tracker, and those of plugins and themes from the server.
 * Version: 0.1.0
 * Requires at least: 6.4
 * Requires PHP: 8.1
 * License: Apache-2.0
 *
 * Where it sends to is in the environment or in wp-config.php: AUDIENCE_GATE_URL, AUDIENCE_GATE_KEY (the environment
 * alone), AUDIENCE_GATE_QUEUE (a folder that the web server does not serve) and AUDIENCE_GATE_PUBLISHABLE_KEY.
 */

declare(strict_types=1);

use AudienceGate\AudienceGateError;
use AudienceGate\Client;
use AudienceGate\Misconfigured;

defined('ABSPATH') || exit;

require_once __DIR__ . '/client/autoload.php';

/** A setting: a constant of wp-config.php, or else a variable of the environment. */
function audience_gate_setting(string $name): ?string
{
    return defined($name) ? (string) constant($name) : (getenv($name) ?: null);
}

function audience_gate_client(): Client
{
    static $client = null;
    return $client ??= new Client(
        audience_gate_queue(),
        audience_gate_setting('AUDIENCE_GATE_URL'),
        post: audience_gate_post(...),
    );
}

/** The folder of the queue. In the folder of WordPress, anybody could read the events in it. */
function audience_gate_queue(): string
{
    $queue = audience_gate_setting('AUDIENCE_GATE_QUEUE') ?? dirname(ABSPATH) . '/audience-gate-queue';
    if (str_starts_with("{$queue}/", rtrim(ABSPATH, '/') . '/')) {
        throw new Misconfigured('set AUDIENCE_GATE_QUEUE to a folder outside that of WordPress, which anybody can read');
    }
    return $queue;
}

/**
 * By the HTTP of WordPress, with the proxy and the certificates that the site has set.
 *
 * @param array<string, string> $headers
 * @return array{int, string, string}
 */
function audience_gate_post(string $url, array $headers, string $body): array
{
    $options = ['headers' => $headers, 'body' => $body, 'timeout' => 15, 'redirection' => 0];
    $answer = wp_remote_post($url, $options);
    if (is_wp_error($answer)) {
        return [0, '', ''];
    }
    return [
        (int) wp_remote_retrieve_response_code($answer),
        wp_remote_retrieve_body($answer),
        (string) wp_remote_retrieve_header($answer, 'retry-after'),
    ];
}

/** Does something with the client; whatever is wrong, the page goes on, and the error log says what it is. */
function audience_gate_attempt(callable $work): void
{
    try {
        $work(audience_gate_client());
    } catch (AudienceGateError $error) {
        error_log("audience-gate: {$error->getMessage()}");
    }
}

/** `do_action('audience_gate_track', $event)` queues an event; it is sent when the page has been. */
add_action('audience_gate_track', static function (array $event): void {
    audience_gate_attempt(static fn (Client $client) => $client->track($event));
    if (!has_action('shutdown', 'audience_gate_after_page')) {
        add_action('shutdown', 'audience_gate_after_page', 100);
    }
});

/** Under FPM, the visitor does not wait for it. Elsewhere the schedule sends. */
function audience_gate_after_page(): void
{
    if (function_exists('fastcgi_finish_request')) {
        fastcgi_finish_request();
        audience_gate_attempt(static fn (Client $client) => $client->flush(0));
    }
}

add_action('audience_gate_flush', static function (): void {
    audience_gate_attempt(static fn (Client $client) => $client->flush(20));
});

add_filter('cron_schedules', static fn (array $schedules): array => [
    ...$schedules,
    'audience_gate_minute' => ['interval' => 60, 'display' => 'Every minute'],
]);

register_activation_hook(__FILE__, static function (): void {
    if (!wp_next_scheduled('audience_gate_flush')) {
        wp_schedule_event(time(), 'audience_gate_minute', 'audience_gate_flush');
    }
});

register_deactivation_hook(__FILE__, static fn () => wp_clear_scheduled_hook('audience_gate_flush'));

/** The tracker, if the site says with which key, and its folder has been copied here. */
add_action('wp_enqueue_scripts', static function (): void {
    $key = audience_gate_setting('AUDIENCE_GATE_PUBLISHABLE_KEY');
    if ($key === null || !file_exists(__DIR__ . '/tracker/audience-gate.js')) {
        return;
    }
    wp_enqueue_script('audience-gate', plugins_url('tracker/audience-gate.js', __FILE__), [], null);
    add_filter('wp_script_attributes', static fn (array $attributes): array => match ($attributes['id'] ?? '') {
        'audience-gate-js' => [
            ...$attributes,
            'async' => true,
            'data-endpoint' => audience_gate_setting('AUDIENCE_GATE_URL') ?? '',
            'data-key' => $key,
        ],
        default => $attributes,
    });
});
