"""One batch of damaged files, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from lazyimages import formats
from tests.fuzz import corpus, mutations, strategies
from tests.fuzz.children import Children
from tests.fuzz.trial import Broken, Spec

EXAMPLES = Path(__file__).parent / "examples"
# What was found is kept as it is: a file of some kilobytes can be looked at without being made smaller.
PHASES = (Phase.explicit, Phase.generate)


@dataclass
class Tally:
    """Counts by format and outcome; the files for which something did not hold; the slowest."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: dict[str, tuple[str, bytes, list[Spec], str]] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    accepted_in_vain: int = 0

    @property
    def files(self) -> int:
        """How many files were tried."""
        return self.outcomes.total()

    def count(self, children: Children, name: str, data: bytes, specs: list[Spec]) -> None:
        """Try a file, and note how it fared."""
        format = corpus.format_of(name)
        try:
            reports = children.try_file(data, specs)
        except Broken as error:
            self.outcomes[format, "BROKEN"] += 1
            self.broken.setdefault(_signature(str(error)), (name, data, specs, str(error)))
            return
        report = reports["pillow"]
        self.outcomes[format, report["outcome"]] += 1
        self.accepted_in_vain += report.get("uploaded", False) and report["outcome"] != "rendered"
        digest = sha256(data).hexdigest()[:8]
        for kind, each in reports.items():
            self.slowest = max(self.slowest, (each["seconds"], f"{name} {digest} {kind}"))
            self.largest = max(self.largest, (each["memory"], f"{name} {digest} {kind}"))


def batch(
    children: Children, tally: Tally, names: Sequence[str], *, examples: int, number: int | None
) -> None:
    """Try so many files made from the seeds of these names; the same ones each time without a number."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=PHASES,
        derandomize=number is None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutations.damaged(names), strategies.specs)
    def check(case: tuple[str, bytes], specs: list[Spec]) -> None:
        tally.count(children, *case, specs)

    (check if number is None else seed(number)(check))()


def save(name: str, data: bytes) -> Path:
    """Keep a file for which something did not hold as an example."""
    format = formats.sniff(data)
    extension = format.extension if format else "bin"
    path = EXAMPLES / f"found-{name}-{sha256(data).hexdigest()[:8]}.{extension}"
    path.write_bytes(data)
    return path


def _signature(text: str) -> str:
    """Return what failures of one cause have in common: who says it, and the last line without numbers."""
    lines = text.strip().splitlines()
    return "".join(letter for letter in lines[0][:40] + lines[-1] if not letter.isdigit())
