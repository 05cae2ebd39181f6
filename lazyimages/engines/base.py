"""What an engine is: the code that turns the bytes of an original and jobs into the bytes of variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from lazyimages.formats import Format
from lazyimages.sizes import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What an original may be at the most: pixels over all frames together, and bytes."""

    max_pixels: int
    max_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What the header of an original says.

    `width` and `height` are in pixels after EXIF orientation; `cost_bytes` is the memory that decoding all
    of it needs, the file included.
    """

    format: Format
    width: int
    height: int
    frames: int
    alpha: bool
    cost_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One variant to make.

    `quality` is 1 to 100, None for formats without one; `background` is "#rrggbb", for formats without
    alpha; `animation` says whether frames after the first are kept where the format can; `effort` whether
    the encoder is quick, or takes several times as long for a smaller file of the same quality.
    """

    plan: Plan
    format: Format
    quality: int | None
    background: str
    animation: Literal["keep", "first"]
    effort: Literal["fast", "small"] = "fast"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """A variant: its bytes and its dimensions in pixels.

    `seconds` is what the call that made it took to `decode`, `resize` and `encode`, for all of its jobs
    together; empty when the engine does not measure it.
    """

    data: bytes
    width: int
    height: int
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


class Engine(Protocol):
    """Stateless and thread-safe; constructed without arguments; knows neither Django nor settings.

    `probe` and `render` raise `UnsupportedImage`, `CorruptImage` or `ImageTooLarge`, and nothing else, for
    any bytes whatever; `render` raises `EncoderMissing` when it lacks the encoder, and `CannotEncode` for
    what that cannot write.
    """

    def probe(self, data: bytes, *, limits: Limits) -> Probe:
        """Return what the header says, without decoding pixels."""

    def cost(self, probe: Probe, jobs: Sequence[Job]) -> int:
        """Return how many bytes of memory `render` will need for these jobs at the most."""

    def render(self, data: bytes, jobs: Sequence[Job], *, limits: Limits) -> list[Rendered]:
        """Make all the jobs from one decode, in their order."""

    def encoders(self) -> frozenset[str]:
        """Return the names of the formats that this engine can write."""
