"""Pictures and films that are dropped on the window: the state inside them comes back, with the model that made it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from app.errors import InputError
from app.recording import embedded
from app.recording.embedded import Kept
from app.request import RenderRequest
from app.window import dropped

Say = Callable[[str, bool], None]


class KeptFiles:
    """Reads the state of dropped files on the main thread; looks for their models in a thread of its own.

    restore: shows a whole request again. models: paths where a missing model may be, the likeliest first. current:
    what the panels ask for.
    """

    def __init__(
        self,
        restore: Callable[[RenderRequest], None],
        say: Say,
        models: Callable[[], Sequence[str]],
        current: Callable[[], RenderRequest],
    ) -> None:
        self._restore, self._say, self._models, self._current = restore, say, models, current
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="kept-files")
        self._searches: list[tuple[str, Kept, Future[str]]] = []

    def take(self, path: str) -> bool:
        """Whether the file holds a state, or would: it is then shown, or a sentence says why not."""
        try:
            kept = embedded.read_state(Path(path))
            if kept is not None:
                _check_files(kept.request, Path(path).name)
        except (InputError, OSError) as error:
            self._say(str(error), True)
            return True
        if kept is None:
            return False
        self.show(Path(path).name, kept)
        return True

    def foreign(self, path: str) -> bool:
        """Whether nobody can do anything with the file, a film without a state for instance; says so."""
        if words := dropped.foreign(path):
            self._say(words, True)
        return bool(words)

    def show(self, name: str, kept: Kept) -> None:
        """Bring a state back; name: of the file, for sentences."""
        request = kept.request
        if not kept.looks:  # of a film: what is looked at besides the picture stays as it is
            now = self._current()
            request = replace(request, view=now.view, diagnostic=now.diagnostic)
        kept = replace(kept, request=replace(request, max_height=None))
        path = request.model.path
        if not path:
            self._restore(kept.request)
            return
        if is_there(path):
            self._restore(kept.request)
            if not kept.sha256:
                return
        elif not kept.sha256:
            self._say(f"{name} was made with {path}, which is not there; open that model by hand first.", True)
            return
        candidates = [path] if is_there(path) else by_name(self._models(), path)
        self._searches.append((name, kept, self._pool.submit(find, candidates, kept.sha256)))

    def update(self) -> None:
        """Once per turn of the loop: what was found."""
        for search in [search for search in self._searches if search[2].done()]:
            self._searches.remove(search)
            self._finish(*search)

    def close(self) -> None:
        """Let go of searches that still run."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finish(self, name: str, kept: Kept, search: Future[str]) -> None:
        found, path, digest = search.result(), kept.request.model.path, kept.sha256[:12]
        if is_there(path):  # and shown already
            if not found:
                self._say(f"{path} is not the file that {name} was made with (SHA-256 {digest}…).", True)
        elif found:
            self._restore(replace(kept.request, model=replace(kept.request.model, path=found)))
            self._say(f"{name} was made with {path}; the same file was found at {found}.", False)
        else:
            self._say(
                f"{name} was made with {kept.name or Path(path).name} (SHA-256 {digest}…), which is neither at {path}"
                " nor among the models that were opened lately; open it, then drop this file again.",
                True,
            )


def is_there(path: str) -> bool:
    """Whether a path from a file may be opened: an ordinary file or folder of this machine, no pipe, no share that
    the computer would have to log in to."""
    return not path.startswith(("\\\\", "//")) and (Path(path).is_file() or Path(path).is_dir())


def by_name(paths: Iterable[str], wanted: str) -> list[str]:
    """Paths of files that are there, those of the same name first."""
    name = wanted.replace("\\", "/").rsplit("/", 1)[-1]
    files = [path for path in dict.fromkeys(paths) if is_there(path) and Path(path).is_file()]
    return sorted(files, key=lambda path: Path(path).name != name)


def find(candidates: Sequence[str], sha256: str) -> str:
    """The first candidate with this SHA-256, '' where there is none."""
    for path in candidates:
        try:
            if has_digest(path, sha256):
                return path
        except OSError:
            continue
    return ""


def has_digest(path: str, sha256: str) -> bool:
    """Whether a model is the one with this SHA-256. A model of several files has a digest of another kind
    (`ModelInfo.sha256`), which is not looked at: it counts as the same."""
    if Path(path).is_dir() or Path(path).suffix.lower() == ".xml":
        return True
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _check_files(request: RenderRequest, name: str) -> None:
    """Raises InputError where the state wants to read what is no ordinary file."""
    files = [*(path for path, _ in request.latent.files), request.condition.vector_file]
    for path in filter(None, (*files, *(push.source for push in request.pushes))):
        if path.startswith(("\\\\", "//")) or (Path(path).exists() and not Path(path).is_file()):
            raise InputError(f"{name}: it names {path}, which is no ordinary file; its state is not shown")
