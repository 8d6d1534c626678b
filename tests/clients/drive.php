<?php

/** Drives the client for tests/clients: a command a line in, an answer a line out. */

declare(strict_types=1);

require __DIR__ . '/../../clients/php/autoload.php';

[, $queue, $options] = $argv;
$given = json_decode($options, true);
$say = static fn (mixed $answer) => fwrite(STDOUT, json_encode($answer, JSON_THROW_ON_ERROR) . "\n");
$gate = new AudienceGate\Client(
    $queue,
    maxEvents: $given['maxEvents'] ?? 10_000,
    onVerdict: static fn (AudienceGate\Verdict $verdict) => $say(['verdict' => $verdict]),
);

while (($line = fgets(STDIN)) !== false) {
    $command = json_decode($line, true, flags: JSON_THROW_ON_ERROR);
    try {
        $say(
            array_key_exists('track', $command)
                ? ['id' => $gate->track($command['track'])]
                : ['report' => $gate->flush($command['flush'])],
        );
    } catch (AudienceGate\Refused $error) {
        $told = ['message' => $error->getMessage(), 'status' => $error->status, 'code' => $error->name];
        $say(['error' => 'Refused', ...$told]);
    } catch (AudienceGate\AudienceGateError $error) {
        $say(['error' => (new ReflectionClass($error))->getShortName(), 'message' => $error->getMessage()]);
    }
}
