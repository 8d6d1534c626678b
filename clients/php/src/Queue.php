<?php

declare(strict_types=1);

namespace AudienceGate;

/**
 * The events that wait, each a file of its own: processes add and remove them without a lock, and one that is killed
 * leaves nothing half-written. Their names begin with the time, so they are sent in the order in which they came.
 */
final class Queue
{
    /** A file that was not finished within this time belongs to a process that is gone. */
    private const STALE_SECONDS = 3600;
    private const MOST_PAUSE_SECONDS = 86_400;

    public function __construct(private readonly string $folder, private readonly int $most)
    {
    }

    /** When it returns, the event is on the disk. An id that is queued already is the same event. */
    public function put(string $id, string $text): void
    {
        if (!is_dir($this->folder) && !@mkdir($this->folder, 0700, true) && !is_dir($this->folder)) {
            throw new QueueFull("{$this->folder} cannot be made; the event was not queued");
        }
        $ids = $this->ids();
        if (in_array($id, $ids, true)) {
            return;
        }
        if (count($ids) >= $this->most) {
            $waiting = count($ids);
            throw new QueueFull("{$waiting} events wait in {$this->folder}, which is all that may; the event was not queued");
        }
        $unfinished = $this->written($text, true);
        // Unlike a renamed one, a linked file replaces none that another process has made meanwhile.
        $linked = @link($unfinished, $this->path($id)) || file_exists($this->path($id));
        @unlink($unfinished);
        if (!$linked) {
            throw new QueueFull("nothing can be linked in {$this->folder}; the event was not queued");
        }
        $this->syncFolder();
    }

    /** @return list<string> oldest first */
    public function ids(): array
    {
        $names = preg_grep('/^[0-9a-f-]{36}\.json$/D', $this->names());
        sort($names, SORT_STRING);
        return array_map(static fn (string $name): string => substr($name, 0, -5), $names);
    }

    /** Null if another process has settled it. */
    public function text(string $id): ?string
    {
        $text = @file_get_contents($this->path($id));
        return $text === false ? null : $text;
    }

    public function remove(string $id): void
    {
        @unlink($this->path($id));
    }

    /** Removes what killed processes left unfinished; no caller was told that it was queued. */
    public function tidy(): void
    {
        foreach (preg_grep('/\.tmp$/D', $this->names()) as $name) {
            $made = @filemtime("{$this->folder}/{$name}");
            if ($made !== false && $made < time() - self::STALE_SECONDS) {
                @unlink("{$this->folder}/{$name}");
            }
        }
    }

    /** @return array{float, int} until when, and after how many attempts; for all processes, also after a restart */
    public function pause(): array
    {
        $pause = json_decode((string) @file_get_contents("{$this->folder}/pause"), true);
        $until = ($pause['until'] ?? 0) / 1000;
        // A clock that was set back must not silence anybody for longer than any pause lasts.
        return $until < microtime(true) + self::MOST_PAUSE_SECONDS ? [$until, (int) ($pause['attempt'] ?? 0)] : [0.0, 0];
    }

    public function setPause(float $until, int $attempt): void
    {
        $text = json_encode(['until' => (int) round($until * 1000), 'attempt' => $attempt], JSON_THROW_ON_ERROR);
        rename($this->written($text, false), "{$this->folder}/pause");
    }

    public function endPause(): void
    {
        @unlink("{$this->folder}/pause");
    }

    private function path(string $id): string
    {
        return "{$this->folder}/{$id}.json";
    }

    /** @return list<string> */
    private function names(): array
    {
        return is_dir($this->folder) ? (scandir($this->folder) ?: []) : [];
    }

    /** @return string the file that has the text */
    private function written(string $text, bool $synced): string
    {
        $path = $this->folder . '/' . bin2hex(random_bytes(16)) . '.tmp';
        $file = @fopen($path, 'x');
        if ($file === false) {
            throw new QueueFull("nothing can be written into {$this->folder}");
        }
        chmod($path, 0600);
        $whole = fwrite($file, $text) === strlen($text) && (!$synced || fsync($file));
        fclose($file);
        if (!$whole) {
            @unlink($path);
            throw new QueueFull("the disk of {$this->folder} takes no more");
        }
        return $path;
    }

    /** The name is on the disk, too; Windows does that by itself, and lets nobody open a folder. */
    private function syncFolder(): void
    {
        $folder = PHP_OS_FAMILY === 'Windows' ? false : @fopen($this->folder, 'r');
        if ($folder !== false) {
            fsync($folder);
            fclose($folder);
        }
    }
}
