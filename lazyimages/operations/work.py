"""What a run does: batches, what became of each, and work that is done batch by batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A part of a run, small enough for one task on another machine, and harmless when it is done twice.

    `arguments` are those of the function that does it, as JSON has them; `items` is how many images or keys
    it is about; `cursor` is where a run goes on that was interrupted after it.
    """

    arguments: Mapping[str, Any]
    items: int
    cursor: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a batch, or of a whole run.

    `done` was changed, `skipped` needed nothing; `failed` has a reason for each key or name; `figures` are
    further sums under names of their own, such as `bytes`.
    """

    done: int = 0
    skipped: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it, for a journal or for the result of a task."""
        return {
            "done": self.done,
            "skipped": self.skipped,
            "failed": dict(self.failed),
            "figures": dict(self.figures),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What a command does.

    `what` are the options that decide it, as JSON has them: a run is resumed only with the same. `batches`
    yields the batches after a cursor (None: all of them); it may take long before the first, and calls
    `say` with a text then. `do` does a batch, called with its arguments; `look` says what it would do, and
    writes nothing. `task` is the name of the function in `lazyimages.tasks` that does it elsewhere. `unit`
    names what `items` counts, as in "originals". `total` tells how many items there are in all, if that is
    known when the first batch is.
    """

    name: str
    task: str
    unit: str
    what: Mapping[str, Any]
    batches: Callable[[Any], Iterable[Batch]]
    do: Callable[..., Outcome]
    look: Callable[..., Outcome]
    total: Callable[[], int | None] = lambda: None
