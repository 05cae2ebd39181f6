"""What Linux tells of a process that runs (proc(5))."""

import re
from contextlib import suppress
from pathlib import Path


def sockets(pid: int) -> set[str]:
    """Return the inodes of the sockets that a process has open now."""
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            links.append(str(descriptor.readlink()))
    return {found[1] for link in links if (found := re.match(r"socket:\[(\d+)\]", link))}
