"""Files that once made an engine fail, and such as could: each kept, and tried on every engine.

A name begins with what has to come of it: `good-` a picture, `bad-` a refusal, `found-` either.
"""

import pytest

from tests.fuzz import corpus, run, strategies
from tests.fuzz.children import Children

FILES = sorted(path for path in run.EXAMPLES.iterdir() if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_kept(children: Children, path: run.Path) -> None:
    for specs in (strategies.EVERY_KIND[:1], strategies.EVERY_KIND):
        reports = children.try_file(path.read_bytes(), specs)
        wanted = path.name.partition("-")[0]
        outcomes = {kind: report["outcome"] for kind, report in reports.items() if kind != "host"}
        if wanted == "good":
            assert set(outcomes.values()) == {"rendered"}
        elif wanted == "bad":
            assert "rendered" not in outcomes.values()
        else:
            assert wanted == "found"


def test_the_seeds_are_good(children: Children) -> None:
    """Else damage to them would show nothing."""
    for name, data in corpus.seeds().items():
        reports = children.try_file(data, strategies.EVERY_KIND[:2])
        assert {report["outcome"] for report in reports.values()} == {"rendered"}, name
        assert all(report["uploaded"] for report in reports.values()), name
