"""The events that wait, each a file of its own: processes add and remove them without a lock, and one that is killed
leaves nothing half-written. Their names begin with the time, so they are sent in the order in which they came."""

import contextlib
import json
import os
import re
import time
import uuid
from pathlib import Path
from typing import List, Optional, Tuple

from .errors import QueueFull

EVENT = re.compile(r"([0-9a-f-]{36})\.json")
# A file that was not finished within this time belongs to a process that is gone.
STALE_SECONDS = 3600
MOST_PAUSE_SECONDS = 86_400


class Queue:
    def __init__(self, folder: "os.PathLike[str] | str", most: int) -> None:
        self._folder = Path(folder)
        self._most = most

    def put(self, event_id: str, text: str) -> None:
        """When it returns, the event is on the disk. An id that is queued already is the same event."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ids = self.ids()
        if event_id in ids:
            return
        if len(ids) >= self._most:
            raise QueueFull(f"{len(ids)} events wait in {self._folder}, which is all that may; the event was not queued")
        unfinished = self._folder / f"{uuid.uuid4()}.tmp"
        try:
            _write(unfinished, text, sync=True)
            # Unlike a renamed one, a linked file replaces none that another process has made meanwhile.
            with contextlib.suppress(FileExistsError):
                os.link(unfinished, self._path(event_id))
        finally:
            _remove(unfinished)
        _sync_folder(self._folder)

    def ids(self) -> List[str]:
        """Oldest first."""
        found = (EVENT.fullmatch(name) for name in self._names())
        return sorted(match[1] for match in found if match)

    def text(self, event_id: str) -> Optional[str]:
        """None if another process has settled it."""
        return _read(self._path(event_id))

    def remove(self, event_id: str) -> None:
        _remove(self._path(event_id))

    def tidy(self) -> None:
        """Removes what killed processes left unfinished; no caller was told that it was queued."""
        for name in self._names():
            path = self._folder / name
            if path.suffix != ".tmp":
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - STALE_SECONDS:
                    _remove(path)

    def pause(self) -> Tuple[float, int]:
        """Until when, in seconds, and after how many attempts. It holds for all processes, also after a restart."""
        try:
            pause = json.loads(_read(self._folder / "pause") or "")
            until, attempt = float(pause["until"]) / 1000, int(pause["attempt"])
            # A clock that was set back must not silence anybody for longer than any pause lasts.
            if until < time.time() + MOST_PAUSE_SECONDS:
                return until, attempt
        except (ValueError, KeyError, TypeError):
            pass  # none is on record
        return 0.0, 0

    def set_pause(self, until: float, attempt: int) -> None:
        unfinished = self._folder / f"{uuid.uuid4()}.tmp"
        _write(unfinished, json.dumps({"until": round(until * 1000), "attempt": attempt}), sync=False)
        os.replace(unfinished, self._folder / "pause")

    def end_pause(self) -> None:
        _remove(self._folder / "pause")

    def _path(self, event_id: str) -> Path:
        return self._folder / f"{event_id}.json"

    def _names(self) -> List[str]:
        try:
            return os.listdir(self._folder)
        except FileNotFoundError:
            return []


def _read(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str, *, sync: bool) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _sync_folder(folder: Path) -> None:
    """The name is on the disk, too; Windows does that by itself, and lets nobody open a folder."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
