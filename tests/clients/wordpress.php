<?php

/**
 * The plugin, with a stub of each function of WordPress that it calls: there is no WordPress here. Requests are real.
 * `wordpress.php PLUGIN-FOLDER EVENT [SITE]` activates it, tracks the event, runs its schedule, and prints what WordPress was
 * told. A site is a folder with wp-config.php and functions.php; there a comment is posted in place of the event.
 */

declare(strict_types=1);

define('ABSPATH', $argv[1] . '/site/');

$GLOBALS['told'] = ['schedule' => null, 'script' => null, 'attributes' => null];
$GLOBALS['hooks'] = [];
$GLOBALS['activate'] = null;

function add_action(string $name, callable $work, int $priority = 10): void
{
    $GLOBALS['hooks'][$name][] = $work;
}
function add_filter(string $name, callable $work): void
{
    add_action($name, $work);
}
function has_action(string $name, string $work): bool
{
    return in_array($work, $GLOBALS['hooks'][$name] ?? [], true);
}
function do_action(string $name, mixed ...$arguments): void
{
    foreach ($GLOBALS['hooks'][$name] ?? [] as $work) {
        $work(...$arguments);
    }
}
function apply_filters(string $name, mixed $value): mixed
{
    return array_reduce($GLOBALS['hooks'][$name] ?? [], static fn (mixed $value, callable $work) => $work($value), $value);
}
function register_activation_hook(string $file, callable $work): void
{
    $GLOBALS['activate'] = $work;
}
function register_deactivation_hook(string $file, callable $work): void
{
}
function wp_next_scheduled(string $hook): bool
{
    return false;
}
function wp_schedule_event(int $at, string $recurrence, string $hook): void
{
    $GLOBALS['told']['schedule'] = [$hook, apply_filters('cron_schedules', [])[$recurrence]['interval']];
}
function plugins_url(string $path, string $file): string
{
    return "https://shop.example/wp-content/plugins/audience-gate/{$path}";
}
function wp_enqueue_script(string $id, string $address): void
{
    $GLOBALS['told']['script'] = $address;
}
function wp_remote_post(string $url, array $options): array|string
{
    $headers = array_map(null, array_keys($options['headers']), $options['headers']);
    $stream = @fopen($url, 'r', false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => array_map(static fn (array $header): string => implode(': ', $header), $headers),
        'content' => $options['body'],
        'ignore_errors' => true,
    ]]));
    return $stream === false ? 'error' : [stream_get_meta_data($stream)['wrapper_data'], stream_get_contents($stream)];
}
function is_wp_error(mixed $answer): bool
{
    return $answer === 'error';
}
function wp_remote_retrieve_response_code(array $answer): int
{
    return (int) explode(' ', $answer[0][0])[1];
}
function wp_remote_retrieve_body(array $answer): string
{
    return $answer[1];
}
function wp_remote_retrieve_header(array $answer, string $name): string
{
    return substr((string) current(preg_grep("/^{$name}:/i", $answer[0])), strlen($name) + 1);
}

if (isset($argv[3])) {
    require "{$argv[3]}/wp-config.php";
    require "{$argv[3]}/functions.php";
}
require "{$argv[1]}/audience-gate.php";

($GLOBALS['activate'])();
do_action('wp_enqueue_scripts');
$GLOBALS['told']['attributes'] = apply_filters('wp_script_attributes', ['id' => 'audience-gate-js']);
if (isset($argv[3])) {
    do_action('comment_post', 7, 1, ['comment_post_ID' => 3]);
} else {
    do_action('audience_gate_track', json_decode($argv[2], true));
}
do_action('shutdown');
do_action('audience_gate_flush');
echo json_encode($GLOBALS['told'], JSON_THROW_ON_ERROR), "\n";
