"""Who may import whom: the table of layers, enforced on the source.

A module imports from rows above its own, and inside a package in one direction without circles. To add a
module, add it to a row of `LAYERS`, with what it may import from elsewhere in `OUTSIDE`.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The lowest first. `a.*` is a package with all that is in it.
LAYERS: list[tuple[str, str]] = [
    ("exceptions heap draining stopwatch", "the errors; the process's memory and end; times"),
    ("sizes formats thumbhash", "what a size and a format are; a picture in 25 bytes"),
    ("keys placeholders", "names of originals and variants; what is there before a picture"),
    ("readers", "values of settings"),
    ("presets", "sizes under a name"),
    ("conf", "the settings"),
    (
        "engines.* leases refusals crew tally",
        "bytes to bytes; leases; what cannot be made; threads; log lines",
    ),
    ("current storage.* locks slots signals", "the engine that is set; files; flights and slots; signals"),
    (
        "arrivals variants queueing needs",
        "what arrives late; the variants of an original; the project's task system; which files rows need",
    ),
    ("health cleanup", "whether all of it works; files that no row needs"),
    ("leaving", "what a row leaves behind"),
    ("focal", "moving the focal point"),
    ("markup.*", "URLs, attributes and elements"),
    ("render uploads tags", "the one flow; what may be uploaded; the tags for any template language"),
    ("accepting", "what may be chosen"),
    ("direct", "what browsers send to S3 by themselves"),
    ("widgets", "file inputs"),
    ("forms field_checks field_files", "the forms' fields; system checks of a field; its values"),
    ("fields", "the model field"),
    ("views", "the resizer's HTTP contract"),
    ("direct_views middleware checks jinja templatetags.* aws.* admin.* test", "thin edges"),
    ("contrib.*", "edges to other packages"),
    ("doctor.* operations.*", "what is wrong on AWS; work on many images"),
    ("tasks apps urls management.*", "wiring"),
]

# What each may import from outside of lazyimages; the first row that fits counts. The standard library is
# everybody's.
OUTSIDE: list[tuple[str, str]] = [
    ("exceptions heap draining stopwatch sizes formats keys thumbhash placeholders", ""),
    ("readers presets", ""),
    ("conf", "django"),
    ("engines.base engines.beginning engines.complete engines.cost engines.pieces", ""),
    ("engines.gif engines.progressive engines.scans engines.shrink", ""),
    ("engines.resample", "PIL cykooz_resizer"),
    ("engines.libvips", "PIL pyvips"),
    ("engines.heic", "PIL pillow_heif"),
    ("engines.*", "PIL"),
    ("storage.bodies", "botocore"),
    ("storage.s3 storage.incoming", "django boto3 botocore storages types_boto3_s3 urllib3"),
    ("aws.documents aws.statements aws.unknown aws.rules aws.exposure aws.plans", ""),
    ("aws.distribution aws.iam aws.shapes aws.lambda_stack aws.template", ""),
    ("aws.lambda_handler", "django apig_wsgi _typeshed"),
    ("aws.lambda_settings aws.lambda_urls", "django botocore boto3"),
    ("aws.*", "boto3 botocore storages types_boto3_s3 types_boto3_cloudfront"),
    ("doctor.picture", "PIL"),
    ("doctor.*", "django boto3 botocore storages types_boto3_s3 types_boto3_cloudfront"),
    ("operations.run", "tenacity"),
    ("management.progress", "django tqdm"),
    ("tasks", "django django_tasks"),
    ("management.*", "django botocore storages"),
    ("jinja", "jinja2 markupsafe"),
    ("contrib.rest_framework", "django rest_framework"),
    ("contrib.spectacular", "drf_spectacular"),
    ("contrib.pytest", "pytest"),
    ("checks", "django PIL"),
    ("*", "django"),
]

# What must not be reached at all, not even through others.
NEVER: list[tuple[str, str]] = [
    ("markup.*", "render storage storage.* engines.* current locks slots leases refusals uploads fields"),
    (
        "tags jinja templatetags.*",
        "render storage storage.* engines.* current locks slots leases uploads fields",
    ),
    ("fields", "render locks leases views"),
    ("engines.*", "conf"),
    ("render", "fields views markup.* health"),
]

# Imports inside functions, each for its reason; all others stand at the top.
LATE: list[tuple[str, str, str]] = [
    ("apps", "checks", "importing registers the checks, which Django wants in ready()"),
    ("storage", "storage.s3", "boto3 is an extra"),
    ("direct", "storage.incoming", "boto3 is an extra"),
    ("engines.libvips", "pyvips", "an extra, and as long to import as all the rest"),
    ("engines.colour", "PIL", "littleCMS, for pictures with a profile"),
    ("operations.purge", "aws.invalidations", "boto3 is an extra"),
    ("management.*", "botocore aws.* doctor.* management.deployment", "boto3 is an extra"),
]

# All that the example marketplace may touch.
PUBLIC = {
    "lazyimages.admin",
    "lazyimages.contrib.rest_framework",
    "lazyimages.contrib.spectacular",
    "lazyimages.draining",
    "lazyimages.exceptions",
    "lazyimages.fields",
    "lazyimages.forms",
    "lazyimages.signals",
    "lazyimages.urls",
    "lazyimages.variants",
}


@dataclass(frozen=True)
class Import:
    """One module imported by another; `lazily` inside of a function, `typing` for type checkers alone."""

    target: str
    lazily: bool
    typing: bool


def modules(package: str) -> dict[str, Path]:
    """Return the modules of a package by their dotted name below it; the package itself is ""."""
    root = ROOT / package
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules("lazyimages")


def imports_of(path: Path) -> Iterator[Import]:
    """Yield all imports of a file; those from lazyimages by the name below it, e.g. `storage.s3`."""

    def visit(node: ast.AST, lazily: bool, typing: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = lazily or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            checking = typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(shorten(alias.name), lazily, typing)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: write the import absolutely"
                for alias in child.names:
                    yield Import(shorten(child.module or "", alias.name), lazily, typing)
            else:
                yield from visit(child, inside, checking)

    yield from visit(ast.parse(path.read_text()), False, False)


def shorten(module: str, name: str = "") -> str:
    """Return a module of ours without `lazyimages.`, and of others the first part alone."""
    root, _, rest = module.partition(".")
    if root != "lazyimages":
        return root
    full = f"{rest}.{name}".strip(".")
    return full if full in MODULES else rest


def fits(module: str, patterns: str) -> bool:
    return any(fnmatchcase(module, pattern) or f"{module}.*" == pattern for pattern in patterns.split())


def layer_of(module: str) -> int:
    for number, (patterns, _) in enumerate(LAYERS):
        if fits(module, patterns):
            return number
    raise AssertionError(
        f"lazyimages.{module} is in no layer; add its row to LAYERS in {Path(__file__).name}"
    )


def ours(module: str) -> list[Import]:
    return [found for found in imports_of(MODULES[module]) if found.target in MODULES and found.target]


def reached(module: str) -> set[str]:
    """Return all modules that importing one imports at once, packages above them included."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        for found in ours(current):
            if not found.lazily and not found.typing and found.target not in seen:
                seen.add(found.target)
                waiting.append(found.target)
    return seen


NAMED = sorted(module for module in MODULES if module)


@pytest.mark.parametrize("module", NAMED)
def test_every_module_is_in_a_layer(module: str) -> None:
    layer_of(module)


def test_an_unknown_module_is_told_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"lazyimages\.gizmo is in no layer; add its row to LAYERS in"):
        layer_of("gizmo")


def test_every_row_is_about_something() -> None:
    patterns = [pattern for row, _ in [*LAYERS, *NEVER] for pattern in row.split()]
    assert [p for p in patterns if not any(fits(module, p) for module in NAMED)] == []


@pytest.mark.parametrize("module", NAMED)
def test_imports_come_from_lower_layers(module: str) -> None:
    package = module.partition(".")[0]
    for found in ours(module):
        if found.target.partition(".")[0] == package:
            continue  # the next test's affair
        assert layer_of(found.target) < layer_of(module), (
            f"lazyimages.{module} imports lazyimages.{found.target}, which is not in a lower layer"
        )


def test_there_are_no_circles() -> None:
    for module in NAMED:
        assert module not in reached(module), f"lazyimages.{module} imports itself through others"


@pytest.mark.parametrize("module", NAMED)
def test_imports_from_elsewhere_are_those_of_the_table(module: str) -> None:
    allowed = next(names for patterns, names in OUTSIDE if fits(module, patterns)).split()
    foreign = {
        found.target
        for found in imports_of(MODULES[module])
        if found.target not in MODULES and found.target not in sys.stdlib_module_names
    }
    assert foreign <= set(allowed), f"add {foreign - set(allowed)} to OUTSIDE, if that is right"


@pytest.mark.parametrize(("patterns", "forbidden"), NEVER)
def test_some_are_never_reached(patterns: str, forbidden: str) -> None:
    for module in NAMED:
        if fits(module, patterns):
            assert [found for found in reached(module) if fits(found, forbidden)] == [], module


def late_imports(module: str) -> set[tuple[str, str]]:
    return {(module, found.target) for found in imports_of(MODULES[module]) if found.lazily}


@pytest.mark.parametrize("module", NAMED)
def test_imports_stand_at_the_top(module: str) -> None:
    wrong = [
        late
        for late in late_imports(module)
        if not any(fits(late[0], modules) and fits(late[1], targets) for modules, targets, _ in LATE)
    ]
    assert wrong == [], "move it to the top, or give the reason in LATE"


def test_every_late_import_is_still_there() -> None:
    late = {pair for module in NAMED for pair in late_imports(module)}
    for modules, targets, _ in LATE:
        for target in targets.split():
            assert any(fits(module, modules) and fits(found, target) for module, found in late), target


def test_the_package_root_imports_nothing() -> None:
    assert list(imports_of(MODULES[""])) == []


def test_the_marketplace_uses_the_public_surface_alone() -> None:
    for path in (ROOT / "marketplace").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                names = {module if module != "lazyimages" else f"lazyimages.{a.name}" for a in node.names}
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("include", "import_module"):
                names = {
                    a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                }
            else:
                continue
            used = {name for name in names if name.partition(".")[0] == "lazyimages"}
            assert used <= PUBLIC, f"{path.relative_to(ROOT)} uses {used - PUBLIC}"
