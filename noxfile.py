"""The tests on every supported pair of Python and Django: `nox --error-on-missing-interpreters`."""

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True

PAIRS = [("3.11", "Django>=5.2,<5.3"), ("3.12", "Django>=6.0"), ("3.13", "Django>=6.0")]


@nox.session
@nox.parametrize("python,django", PAIRS, ids=[python for python, _ in PAIRS])
def tests(session: nox.Session, django: str) -> None:
    """Run the tests, but for those of pictures' details, load and templates, the same everywhere."""
    session.install("-r", "requirements-test.txt", django)
    session.run("python", "-c", "import sys, django; print(sys.version, 'Django', django.__version__)")
    pictures = ("test_demo_photos.py", "engine/test_sharpness.py", "engine/test_vips.py")
    load = ("fire", "fuzz", "test_memory.py")
    texts = ("aws/test_cloudformation.py", "aws/test_costs.py", "aws/test_aws_docs.py")
    ignored = [f"--ignore=tests/{path}" for path in (*pictures, *load, *texts, "aws/test_lambda_zip.py")]
    session.run("python", "-m", "pytest", *ignored, *session.posargs)
