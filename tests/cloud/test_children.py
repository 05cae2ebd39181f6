"""Child processes: ready, refused, stopped, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.cloud.children import ChildError, start_child
from tests.clock import PATIENCE

pytestmark = pytest.mark.chain
PYTHON = [sys.executable, "-u", "-c"]
ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def soon(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_ready_anywhere_in_a_line_of_stdout_or_stderr() -> None:
    for stream in ("stdout", "stderr"):
        code = f"import sys, time; print('x Ready at: http://h:1/ ok', file=sys.{stream}); time.sleep(60)"
        with start_child([*PYTHON, code], ready="Ready at:") as child:
            assert child.ready_line == "x Ready at: http://h:1/ ok"
            assert child.url == "http://h:1"
            assert child.running
        assert not child.running


def test_stop_sends_sigterm_first_and_returns_the_exit_code() -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up'); time.sleep(60)"
    child = start_child([*PYTHON, code], ready="up")
    assert child.stop() == 7
    assert child.stop() == 7


def test_stop_kills_after_the_grace() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    child = start_child([*PYTHON, code], ready="up")
    assert child.stop(grace=0.2) == -signal.SIGKILL


def test_stop_takes_the_whole_group() -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "ignore = lambda: signal.signal(15, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen(['sleep', '60'], preexec_fn=ignore)\n"
        "print('up', grandchild.pid); time.sleep(60)"
    )
    child = start_child([*PYTHON, code], ready="up")
    grandchild = int(child.ready_line.split()[1])
    assert alive(grandchild)
    child.stop()
    assert soon(lambda: not alive(grandchild))


def test_a_child_that_dies_early_is_told_with_its_last_output() -> None:
    with pytest.raises(ChildError, match=r"exit code 3(?s:.)*no such table"):
        start_child([*PYTHON, "import sys; print('no such table'); sys.exit(3)"], ready="up")


def test_a_program_that_does_not_exist_is_told() -> None:
    with pytest.raises(ChildError, match=r"no-such-program: No such file"):
        start_child(["no-such-program"], ready="up")


def test_a_silent_child_is_stopped_after_the_timeout() -> None:
    code = "import os, time; print(os.getpid()); time.sleep(60)"
    for timeout in (0.5, 5, 60):  # a slow machine may not have started it yet
        with pytest.raises(ChildError, match=rf"did not say 'up' within {timeout:g} s") as caught:
            start_child([*PYTHON, code], ready="up", timeout=timeout)
        last = str(caught.value).splitlines()[-1]
        if last.isdigit():
            break
    assert not alive(int(last))


def test_an_error_does_not_repeat_the_arguments() -> None:
    with pytest.raises(ChildError) as caught:
        start_child([*PYTHON, "raise SystemExit(1)", "--origin-secret", "hush"], ready="up")
    assert "hush" not in str(caught.value)


def test_output_is_drained_and_logged(tmp_path: Path) -> None:
    code = "print('up'); print('x' * 500_000); print('end'); import time; time.sleep(60)"
    with start_child([*PYTHON, code], ready="up", log=tmp_path / "log") as child:
        assert soon(lambda: child.output.endswith("end"))
    assert (tmp_path / "log").stat().st_size > 500_000


def test_environment_and_directory_are_the_childs_own(tmp_path: Path) -> None:
    code = "import os, time; print('up', os.environ['ONLY'], os.getcwd()); time.sleep(60)"
    with start_child([*PYTHON, code], ready="up", env={"ONLY": "this"}, cwd=tmp_path) as child:
        assert child.ready_line == f"up this {tmp_path}"


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_ends_when_its_starter_is_killed() -> None:
    starter = (
        "import sys, time\n"
        "from marketplace.cloud.children import start_child\n"
        "code = 'import time; print(\"up\"); time.sleep(60)'\n"
        "child = start_child([sys.executable, '-u', '-c', code], ready='up')\n"
        "print(child.pid); time.sleep(60)"
    )
    with subprocess.Popen(
        [*PYTHON, starter],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    assert soon(lambda: not alive(pid))
