"""`python -m benchmarks.operations.command FILE NAME …`: a management command, whose costs go into a file.

They are counted from when Django has started, for a command is measured and not the start of Python.
"""

import json
import re
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command, execute_from_command_line


def main() -> None:
    """Run the command as manage.py does, and write down seconds and memory, also when it fails."""
    target, *arguments = sys.argv[1:]
    django.setup()
    call_command("check", verbosity=0, stdout=sys.stderr)  # imports what any command would
    wall, processor = time.perf_counter(), time.process_time()
    try:
        execute_from_command_line(["manage.py", *arguments])
    finally:
        # The peak since this program was started; ru_maxrss also has that of whoever started it.
        peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
        figures = {
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
            "peak_mib": int(peak[1]) / 1024 if peak else 0,
        }
        Path(target).write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
