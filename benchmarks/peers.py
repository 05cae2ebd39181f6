"""Install what lazyimages is measured beside: sharp from npm, and Python packages.

Each has an environment of its own. It is installed once, and again when the list of its packages changes.
"""

import hashlib
import shutil
import subprocess
import sys
import venv as virtualenv
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE = HERE / "node"
CACHE = HERE.parent / ".cache" / "benchmarks"
INSTALL_SECONDS = 600


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"· {text}", file=sys.stderr, flush=True)


def sharp_folder() -> Path | None:
    """Return the folder whose scripts may import sharp; None, with the reason printed, when there is none."""
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        say(f"sharp is left out: {' and '.join(missing)} not found (on Debian: apt install nodejs npm)")
        return None
    stamp = NODE / "node_modules" / ".installed"
    wanted = _digest(NODE / "package-lock.json")
    if not _is_stamped(stamp, wanted):
        say("Installing sharp from npm")
        # sharp's script would only compile it where npm has no build for the platform.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        if not _installed("sharp", command, cwd=NODE):
            return None
        stamp.write_text(wanted)
    return NODE


def sharp_version() -> str:
    """Return the versions of sharp and libvips; `sharp_folder` comes first."""
    text = "`${s.versions.sharp} (libvips ${s.versions.vips})`"
    script = f"import('sharp').then(({{default: s}}) => console.log({text}))"
    return _output(["node", "--input-type=module", "--eval", script], cwd=NODE)


def venv(name: str, requirements: Path) -> Path | None:
    """Return the Python of an environment with the packages listed in `requirements`; None, with the reason
    printed, when they cannot be installed.
    """
    folder = CACHE / name
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    wanted = f"{sys.version} {_digest(requirements)}"
    if not _is_stamped(stamp, wanted):
        say(f"Installing the packages of {requirements.name}")
        virtualenv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if not _installed(name, [*pip, "--requirement", str(requirements)], cwd=folder):
            return None
        stamp.write_text(wanted)
    return python


def version(python: Path, package: str) -> str:
    """Return the version of a package in the environment of a Python."""
    script = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    return _output([str(python), "-c", script, package])


def _installed(name: str, command: Sequence[str], cwd: Path) -> bool:
    try:
        subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    else:
        return True
    say(f"{name} is left out, since it could not be installed: {reason}")
    return False


def _is_stamped(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text() == wanted


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _output(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()
