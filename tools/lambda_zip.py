"""`python -m tools.lambda_zip`: the zips of the resizer as an AWS Lambda function, into dist/.

One for each kind of processor, from wheels alone, so that nothing is compiled and any machine can build both.
The same versions of packages give the same bytes: they are written into a list beside each zip, which
--constraint takes.
"""

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "lazyimages"
NEEDED = ("s3", "lambda")
# Lambda's quotas ("Lambda quotas"): of a zip that is uploaded directly, and of all it holds.
MOST_ZIPPED, MOST_UNZIPPED = 50 * 2**20, 250 * 2**20
# Amazon Linux 2023, which the runtimes since Python 3.12 are, has glibc 2.34.
_GLIBC = ("_2_34", "_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014", "_2_12", "_2_5")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip can hold
_LEVEL = 6
# Which of botocore's descriptions of services are needed; those of no service are all kept.
_SERVICES = ("s3", "sts")
# What pip writes that tells one installation from another.
_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_LEFT_OUT = (
    "**/__pycache__",
    "**/*.pyc",
    "**/tests",
    "bin",
    "share",
    "boto3/examples",
    "django/**/locale/*/LC_MESSAGES",
    "django/contrib/*/static",
    "django/contrib/gis",
    "PIL/*.pyi",
    *(f"*.dist-info/{name}" for name in _INSTALLATION),
)


class CannotBuild(Exception):
    """The zip would not work on Lambda, or there are no wheels for it."""


@dataclass(frozen=True, kw_only=True)
class Processor:
    """A kind of processor: as Lambda calls it, as Python does, and its number in ELF files (`e_machine`)."""

    name: str
    machine: str
    elf: int

    @property
    def tags(self) -> tuple[str, ...]:
        """The platforms whose wheels run there, the newest first (PEP 600)."""
        return tuple(f"manylinux{glibc}_{self.machine}" for glibc in _GLIBC)


PROCESSORS = {
    "x86_64": Processor(name="x86_64", machine="x86_64", elf=62),
    "arm64": Processor(name="arm64", machine="aarch64", elf=183),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Build what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.lambda_zip", description=__doc__)
    add = parser.add_argument
    add("processors", nargs="*", choices=[*PROCESSORS, []], metavar="PROCESSOR", help=", ".join(PROCESSORS))
    add("--python", default="3.13", help="the version of Lambda's runtime (3.13)")
    add("--extras", default="fast", help="extras of lazyimages besides s3 and lambda, by comma (fast)")
    add("--with", dest="besides", action="append", default=[], metavar="REQUIREMENT", help="as in redis>=6")
    add("--constraint", type=Path, help="a list of versions, such as an earlier build has left")
    add(
        "--bytecode",
        metavar="INTERPRETER",
        help="a Python of that version, to compile all modules, which halves the time of a start "
        "(python3.13, where there is one); none: leave it out",
    )
    add("--output", type=Path, default=ROOT / "dist", help="a folder (dist)")
    options = parser.parse_args(arguments)
    extras = tuple(filter(None, options.extras.split(",")))
    bytecode = options.bytecode or f"python{options.python}"
    if options.bytecode is None and version(bytecode) != options.python:
        print(f"{bytecode} is not on this machine, so there is no bytecode: starts take twice as long.")
        bytecode = "none"
    for name in options.processors or PROCESSORS:
        with tempfile.TemporaryDirectory() as folder:
            staged = Path(folder)
            try:
                stage(
                    staged,
                    PROCESSORS[name],
                    python=options.python,
                    extras=extras,
                    besides=options.besides,
                    constraint=options.constraint,
                )
                if bytecode != "none":
                    compile_all(staged, bytecode, python=options.python)
                target = options.output / f"lazyimages-lambda-{name}.zip"
                print(f"{pack(staged, target)} ({target.stat().st_size / 2**20:.1f} MiB)")
            except CannotBuild as error:
                sys.exit(f"{name}: {error}")
            target.with_suffix(".txt").write_text("".join(f"{line}\n" for line in versions(staged)))


def stage(
    folder: Path,
    processor: Processor,
    *,
    python: str,
    extras: Sequence[str] = ("fast",),
    besides: Sequence[str] = (),
    constraint: Path | None = None,
) -> None:
    """Fill a folder with all that the zip holds. Raises `CannotBuild`."""
    wanted = [*requirements(processor, python, (*NEEDED, *extras)), *besides]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(folder), "--only-binary=:all:", "--no-compile", "--no-warn-conflicts"]
    command += ["--implementation", "cp", "--python-version", python]
    command += [part for tag in processor.tags for part in ("--platform", tag)]
    command += ["--constraint", str(constraint)] if constraint else []
    done = subprocess.run([*command, *wanted], text=True, stderr=subprocess.PIPE)
    if done.returncode:
        raise CannotBuild(f"pip found no wheels for all that is needed:\n{done.stderr.strip()}")
    hidden = shutil.ignore_patterns(".*")  # what editors and file managers leave
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, dirs_exist_ok=True, ignore=hidden)
    prune(folder)
    check_machine(folder, processor)


def requirements(processor: Processor, python: str, extras: Sequence[str]) -> list[str]:
    """Return what the package needs there; pip itself would read the conditions as of this machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = project["optional-dependencies"]
    if unknown := set(extras) - set(known):
        raise CannotBuild(f"there is no extra {min(unknown)!r}; known are {', '.join(known)}")
    lines = [*project["dependencies"], *(line for extra in extras for line in known[extra])]
    there = {"platform_machine": processor.machine, "python_version": python, "sys_platform": "linux"}
    found = []
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(there):
            requirement.marker = None
            found.append(str(requirement))
    return found


def prune(folder: Path) -> None:
    """Remove what no request needs, and what differs from one installation to the next."""
    for pattern in _LEFT_OUT:
        for path in sorted(folder.glob(pattern)):
            _remove(path)
    for service in (folder / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in _SERVICES:
            _remove(service)


def compile_all(folder: Path, interpreter: str, *, python: str) -> None:
    """Put bytecode beside every module, which Python takes without a look at the source (PEP 552).

    Lambda's folder of code is read-only, so that otherwise each start compiles all anew. Which bytes come
    out depends on the interpreter, down to its last number. Raises `CannotBuild` for one of another version.
    """
    found = version(interpreter)
    if found is None:
        raise CannotBuild(f"there is no {interpreter}")
    if found != python:
        raise CannotBuild(f"{interpreter} is Python {found}; of another version Lambda takes no bytecode")
    interpreter = str(Path(shutil.which(interpreter) or interpreter).absolute())
    # In one order: what a compiler has met before has a part in the bytes that it writes.
    sources = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    command = [interpreter, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-i", "-"]
    seed = os.environ | {"PYTHONHASHSEED": "0"}
    subprocess.run(command, input="\n".join(sources), text=True, cwd=folder, check=True, env=seed)


def version(interpreter: str) -> str | None:
    """Return the version of a Python, as in `3.13`; None when none of that name runs."""
    ask = [interpreter, "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])))"]
    try:
        return subprocess.run(ask, text=True, capture_output=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_machine(folder: Path, processor: Processor) -> None:
    """Refuse machine code of another processor (ELF, "ELF Header": `e_machine`)."""
    for path, machine in machines(folder):
        if machine != processor.elf:
            raise CannotBuild(f"{path.relative_to(folder)} is not for {processor.name}")


def machines(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield every file of machine code with the number of its processor."""
    for path in sorted(folder.rglob("*.so*")):
        header = path.read_bytes()[:20]
        if header.startswith(b"\x7fELF"):
            yield path, int.from_bytes(header[18:20], "little")


def versions(folder: Path) -> list[str]:
    """Return the packages in a folder, as pip's constraints have them."""
    names = (path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info"))
    return sorted("==".join(name.replace("_", "-").rsplit("-", 1)) for name in names)


def pack(folder: Path, target: Path) -> Path:
    """Write a zip of a folder, of which nothing but names and bytes matters. Raises `CannotBuild`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as made:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose modes these are
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            made.writestr(entry, path.read_bytes(), compresslevel=_LEVEL)
    unzipped = sum(path.stat().st_size for path in files.values())
    for name, size, most in (
        ("zip", target.stat().st_size, MOST_ZIPPED),
        ("content", unzipped, MOST_UNZIPPED),
    ):
        if size > most:
            raise CannotBuild(f"the {name} has {size} bytes, of which Lambda takes {most}")
    return target


if __name__ == "__main__":
    main()
