"""The tests on every supported pair of Python and Django: `nox --error-on-missing-interpreters`."""

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True

PAIRS = [("3.11", "Django>=5.2,<5.3"), ("3.12", "Django>=6.0"), ("3.13", "Django>=6.0")]


@nox.session
@nox.parametrize("python,django", PAIRS, ids=[python for python, _ in PAIRS])
def tests(session: nox.Session, django: str) -> None:
    """Run the tests, but for those of pictures' details, load, templates and pages, the same everywhere."""
    session.install("-r", "requirements-test.txt", django)
    session.run("python", "-c", "import sys, django; print(sys.version, 'Django', django.__version__)")
    pictures = ("test_demo_photos.py", "engine/test_sharpness.py", "engine/test_vips.py")
    load = ("fire", "fuzz", "test_memory.py")
    texts = ("aws/test_cloudformation.py", "aws/test_costs.py", "aws/test_aws_docs.py")
    # What a page shows is the browser's affair, and a whole shop with its cloud is long to start.
    pages = [f"browser/test_{name}.py" for name in ("accessibility", "candidates", "pages", "trace")]
    others = (*texts, "aws/test_lambda_zip.py", *pages, "trace/test_stack.py", "chain/test_purge_and_warm.py")
    # What talks with AWS and browsers is the same with the same Django: one Python of the newest is enough.
    edges = ("aws", "browser", "chain", "cloud", "direct", "doctor", "trace")
    ignored = (*pictures, *load, *others, *(edges if session.python == "3.13" else ()))
    session.run("python", "-m", "pytest", *(f"--ignore=tests/{path}" for path in ignored), *session.posargs)
