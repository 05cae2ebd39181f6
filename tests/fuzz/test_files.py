"""Damaged files in every engine, some of each format: the same ones each time. `make fuzz` tries others."""

import os
import signal
import time

import pytest

from lazyimages.engines import libvips
from tests.fuzz import corpus, run, strategies, trial, worker
from tests.fuzz.children import Child, Children

EXAMPLES = 24  # of each format


def test_damaged_files(children: Children) -> None:
    tally = run.Tally()
    formats = sorted({corpus.format_of(name) for name in corpus.seeds()})
    for format in formats:
        names = sorted(name for name in corpus.seeds() if corpus.format_of(name) == format)
        run.batch(children, tally, names, examples=EXAMPLES, number=None)
    print(f"{tally.files} files; {dict(tally.outcomes)}; slowest {tally.slowest}, largest {tally.largest}")
    assert not tally.broken, "\n".join(
        f"{run.save(name, data)} {specs} {text}" for name, data, specs, text in tally.broken.values()
    )
    assert tally.files >= EXAMPLES * len(formats) * 0.9
    for format in formats:
        outcomes = {outcome for of, outcome in tally.outcomes if of == format}
        assert "CorruptImage" in outcomes, f"{format}: what is done to it is no damage"
    assert sum(count for (_, outcome), count in tally.outcomes.items() if outcome == "rendered") >= 10


class TestTheWatch:
    """A failure of any kind is seen."""

    SPECS = strategies.EVERY_KIND[:1]

    def asked(self, monkeypatch: pytest.MonkeyPatch, code: str, hang: float = 60) -> str:
        """Return the failure that a worker reports whose engine does what the code says."""
        monkeypatch.setenv("LAZYIMAGES_FUZZ_BREAK", code)
        monkeypatch.setattr("tests.fuzz.children.HANG", hang)
        child = Child("pillow")
        try:
            child.ask(corpus.seeds()["png"], self.SPECS)
            report = child.answer(time.monotonic() + hang)
        finally:
            child.close()
        return str(report.get("failure", ""))

    def test_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.asked(monkeypatch, "pass") == ""

    def test_another_exception(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "ZeroDivisionError" in self.asked(monkeypatch, "1 / 0")

    def test_a_crash(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.asked(monkeypatch, f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})")
        assert "the process died (exit code -11)" in found
        assert "Segmentation fault" in found
        assert "in _attempt" in found, "where it was"

    def test_a_hang(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.asked(monkeypatch, "import time; time.sleep(600)", hang=5)
        assert "no answer in 5 s" in found
        assert "in _attempt" in found, "where it was"

    def test_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if not os.access("/proc/self/clear_refs", os.W_OK):
            pytest.skip("the kernel does not tell the memory of one file")
        found = self.asked(monkeypatch, f"b'x' * {trial.MEMORY * 2}")
        assert "bytes, where" in found

    def test_a_switch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.asked(monkeypatch, "from PIL import ImageFile; ImageFile.LOAD_TRUNCATED_IMAGES = True")
        assert "switches of the process were changed" in found

    def test_every_kind_is_another(self, children: Children) -> None:
        reports = children.try_file(corpus.seeds()["png-streamed"], self.SPECS)
        assert sorted(reports) == sorted(set(worker.KINDS) - (set() if libvips.installed() else {"vips"}))
        engines = {kind: (report["engine"], report["extras"]) for kind, report in reports.items()}
        assert engines["bare"] == ("PillowEngine", [])
        assert engines["pillow"][0] == engines["host"][0] == "PillowEngine"
        if libvips.installed():
            assert engines["vips"][0] == "VipsEngine"
            assert "pyvips" in engines["pillow"][1]
