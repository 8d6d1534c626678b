<?php

/** Loads the client where there is no Composer. */

declare(strict_types=1);

foreach (['Errors', 'Answers', 'Retry', 'Event', 'Queue', 'Request', 'Client'] as $name) {
    require_once __DIR__ . "/src/{$name}.php";
}
