"""The zip of the function: what is in it, and that Lambda's runtime can run it with nothing beside it.

The zip is built for the Python and the processor that run the tests, from pip's index, once.
"""

import json
import os
import platform
import random
import re
import shutil
import stat
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from PIL import Image

from marketplace.cloud.s3 import start_s3
from tests.aws.lambda_events import KINDS, function_url, http_api, rest
from tests.aws.runtime_api import Function, FunctionError
from tests.aws.test_lambda_events import Answer
from tests.conftest import CDN, SIZES, jpeg
from tools import lambda_zip

HERE = next(one for one in lambda_zip.PROCESSORS.values() if one.machine == platform.machine())
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ORIGINALS, VARIANTS = "shop-originals", "shop-variants"
ORIGINAL = "produs_1/bowl.AZ70KuRzw9.jpg"
KEY = "produs_1/360x270/bowl.AZ70KuRzw9.jpg"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The staged folder, and the zip of it."""
    folder = tmp_path_factory.mktemp("lambda")
    staged = folder / "staged"
    lambda_zip.stage(staged, HERE, python=PYTHON)
    return staged, lambda_zip.pack(staged, folder / "function.zip")


@pytest.fixture(scope="session")
def code(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip unpacked, as Lambda has it in /var/task."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with start_s3() as child:
        yield child.url


@pytest.fixture
def buckets(s3_url: str, aws_environment: None) -> Iterator[Any]:
    """Two buckets, with one original; a client for looking."""
    client = boto3.client("s3", endpoint_url=s3_url, region_name="eu-central-1")
    for bucket in (ORIGINALS, VARIANTS):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket=ORIGINALS, Key=ORIGINAL, Body=jpeg())
    yield client
    for bucket in (ORIGINALS, VARIANTS):
        found = client.list_object_versions(Bucket=bucket)
        for version in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        client.delete_bucket(Bucket=bucket)


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


def environment(s3_url: str, **parts: Any) -> dict[str, str]:
    settings = {
        "SIZES": SIZES,
        "DELIVERY": "redirect",
        "CDN_URL": CDN,
        "RESIZER_URL": "https://x.execute-api.eu-central-1.amazonaws.com/prod/resizer",
    }
    return {
        "AWS_ENDPOINT_URL_S3": s3_url,
        "LAZYIMAGES_BUCKET": ORIGINALS,
        "LAZYIMAGES_VARIANTS_BUCKET": VARIANTS,
        "LAZYIMAGES": json.dumps(settings | parts),
    }


def stored(client: Any) -> list[tuple[str, str]]:
    """Key and ETag of everything that was ever written beside the originals."""
    versions = client.list_object_versions(Bucket=VARIANTS).get("Versions", [])
    return sorted((version["Key"], version["ETag"]) for version in versions)


# --- what is in it


def test_what_is_in_it(built: tuple[Path, Path], code: Path) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert "lazyimages/aws/lambda_handler.py" in names
    assert "botocore/cacert.pem" in names  # without it there is no HTTPS
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
    assert not [name for name in names if name.endswith(("/RECORD", "/direct_url.json", "/INSTALLER"))]
    assert not [name for name in names if name.startswith(("marketplace", "tests", "bin/"))]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.S_IMODE(entry.external_attr >> 16) for entry in entries} == {0o644}
    assert built[1].stat().st_size < lambda_zip.MOST_ZIPPED
    assert sum(entry.file_size for entry in entries) < lambda_zip.MOST_UNZIPPED
    assert {machine for _, machine in lambda_zip.machines(code)} == {HERE.elf}


def test_our_own_code_is_whole(code: Path) -> None:
    def sources(root: Path) -> set[str]:
        folder = root / "lazyimages"
        return {str(path.relative_to(folder)) for path in folder.rglob("*.py")}

    assert sources(code) == sources(lambda_zip.ROOT)


def test_the_same_files_give_the_same_bytes(built: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever the order, the times and the modes are in which they lie there."""
    staged = built[0] / "lazyimages"
    copy = tmp_path / "copy"
    files = [path for path in staged.rglob("*") if path.is_file()]
    random.Random(1).shuffle(files)
    for path in files:
        place = copy / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o600)
        os.utime(place, (1, 1))
    made = lambda_zip.pack(staged, tmp_path / "one.zip")
    assert lambda_zip.pack(copy, tmp_path / "other.zip").read_bytes() == made.read_bytes()


def test_bytecode_is_the_same_each_time_too(built: tuple[Path, Path], tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name / ("deep" if name == "other" else "")  # the path is not in it either
        shutil.copytree(built[0] / "lazyimages", folder)
        lambda_zip.compile_all(folder, sys.executable, python=PYTHON)
        made.append({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.pyc")})
    assert len(made[0]) == len(list((built[0] / "lazyimages").rglob("*.py")))
    assert made[0] == made[1]
    with pytest.raises(lambda_zip.CannotBuild, match=f"is Python {PYTHON}; of another"):
        lambda_zip.compile_all(tmp_path, sys.executable, python="3.7")
    with pytest.raises(lambda_zip.CannotBuild, match=r"there is no python9\.9"):
        lambda_zip.compile_all(tmp_path, "python9.9", python="9.9")


def test_the_list_of_versions_is_one_for_pip(built: tuple[Path, Path]) -> None:
    lines = lambda_zip.versions(built[0])
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert {"pillow", "django", "botocore", "apig-wsgi"} <= {line.partition("==")[0] for line in lines}


def test_each_processor_gets_what_there_is_for_it() -> None:
    fast = {
        name: any("cykooz" in line for line in lambda_zip.requirements(processor, "3.13", ["fast"]))
        for name, processor in lambda_zip.PROCESSORS.items()
    }
    assert fast == {"x86_64": True, "arm64": False}
    assert "manylinux2014_aarch64" in lambda_zip.PROCESSORS["arm64"].tags
    with pytest.raises(lambda_zip.CannotBuild, match="no extra 'quick'"):
        lambda_zip.requirements(HERE, "3.13", ["quick"])


def test_code_for_another_processor_is_refused(code: Path) -> None:
    other = next(one for one in lambda_zip.PROCESSORS.values() if one != HERE)
    with pytest.raises(lambda_zip.CannotBuild, match=f"is not for {other.name}"):
        lambda_zip.check_machine(code, other)


def test_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.py").write_bytes(random.Random(1).randbytes(2000))
    for limit in ("MOST_ZIPPED", "MOST_UNZIPPED"):
        with monkeypatch.context() as patch:
            patch.setattr(lambda_zip, limit, 1000)
            with pytest.raises(lambda_zip.CannotBuild, match="of which Lambda"):
                lambda_zip.pack(tmp_path / "folder", tmp_path / "a.zip")


# --- and that it runs


def test_every_kind_of_event(code: Path, s3_url: str, buckets: Any) -> None:
    with Function(code, environment(s3_url)) as function:
        events = {
            "REST API": rest(f"/resizer?key={KEY}", stage="prod"),
            "HTTP API": http_api(f"/resizer?key={KEY}", stage="prod"),
            "HTTP API, format 1.0": KINDS["HTTP API, format 1.0"](f"/resizer?key={KEY}"),
            "function URL": function_url(f"/resizer?key={KEY}"),
        }
        for kind, event in events.items():
            made = Answer(function.invoke(event))
            assert (made.status, made["Location"], made["Cache-Control"]) == (
                301,
                f"{CDN}/{KEY}",
                "no-store",
            ), kind
            found = Answer(function.invoke(event))
            kept = buckets.get_object(Bucket=VARIANTS, Key=KEY)
            assert (found.status, found.body) == (200, kept["Body"].read())
            assert found["ETag"] == kept["ETag"]
            assert kept["ContentType"] == "image/jpeg"
            assert kept["CacheControl"] == "public, max-age=31536000, immutable"
            assert Image.open(BytesIO(found.body)).size == (360, 270)
            buckets.delete_object(Bucket=VARIANTS, Key=KEY)
        assert Answer(function.invoke(rest("/resizer?key=produs_1/9x9/bowl.AZ70KuRzw9.jpg"))).status == 404
        assert Answer(function.invoke(rest("/health"))).status == 200
        assert len(re.findall(f"INFO lazyimages rendered key={KEY}", function.log)) == len(events)
        with pytest.raises(FunctionError, match="no event of API Gateway"):
            function.invoke({"key1": "value1"})


def test_too_large_for_an_answer(code: Path, s3_url: str, buckets: Any) -> None:
    """In failover: made, it is at the CDN's; found, at S3 itself, for everybody who has the link."""
    noise = BytesIO()
    size = (2600, 2000)
    pixels = random.Random(1).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, pixels).save(noise, "JPEG", quality=90)
    buckets.put_object(Bucket=ORIGINALS, Key="a/noise.jpg", Body=noise.getvalue())
    with Function(
        code, environment(s3_url, DELIVERY="failover", SIZES=["2600w"], QUALITY={"jpeg": 95})
    ) as function:
        event = function_url("/v/a/2600w/noise.jpg")
        made = Answer(function.invoke(event))
        kept = buckets.get_object(Bucket=VARIANTS, Key="a/2600w/noise.jpg")["Body"].read()
        assert len(kept) > 4_400_000
        assert (made.status, made["Location"]) == (307, f"{CDN}/a/2600w/noise.jpg")
        found = Answer(function.invoke(event))
        assert (found.status, found["Cache-Control"]) == (307, "no-store")
        with urllib.request.urlopen(found["Location"]) as answer:
            assert answer.read() == kept
            assert answer.headers["Content-Type"] == "image/jpeg"


def test_two_functions_that_know_nothing_of_each_other(code: Path, s3_url: str, buckets: Any) -> None:
    """Duplicates are harmless: both answer, and what they write is the same, byte for byte."""
    keys = [f"produs_{number}/360x270/bowl.AZ70KuRzw9.jpg" for number in range(5)]
    large = jpeg(4032, 3024)
    for number in range(5):
        buckets.put_object(Bucket=ORIGINALS, Key=f"produs_{number}/bowl.AZ70KuRzw9.jpg", Body=large)
    with Function(code, environment(s3_url)) as one, Function(code, environment(s3_url)) as other:
        one.start()
        other.start()
        for key in keys:
            both = threading.Barrier(2)
            answers: list[Answer] = []

            def ask(
                function: Function,
                key: str = key,
                both: threading.Barrier = both,
                answers: list[Answer] = answers,
            ) -> None:
                both.wait()
                answers.append(Answer(function.invoke(http_api(f"/resizer?key={key}"))))

            threads = [threading.Thread(target=ask, args=[function]) for function in (one, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert {(answer.status, *answer.headers.get("location", ())) for answer in answers} <= {
                (301, f"{CDN}/{key}"),
                (200,),
            }
            assert len(answers) == 2
        written = stored(buckets)
        rendered = [len(re.findall("INFO lazyimages rendered", function.log)) for function in (one, other)]
    assert sum(rendered) == len(written)
    assert len(written) > len(keys), "none was made twice, so nothing was tried out"
    assert len(set(written)) == len(keys)  # a second writing had the same ETag
    assert {key for key, _ in written} == set(keys)
    assert buckets.list_multipart_uploads(Bucket=VARIANTS).get("Uploads", []) == []


def test_a_mistake_in_the_settings_ends_the_start(code: Path, s3_url: str) -> None:
    broken = environment(s3_url, DELIVERY="failover", CDN_URL="")
    with (
        Function(code, broken) as function,
        pytest.raises(FunctionError, match=r'Set LAZYIMAGES\["CDN_URL"\]'),
    ):
        function.start()
    nothing = {"LAZYIMAGES": "{}"}
    with (
        Function(code, nothing) as function,
        pytest.raises(FunctionError, match="variable LAZYIMAGES_BUCKET"),
    ):
        function.start()


def test_settings_of_ones_own(code: Path, s3_url: str, tmp_path: Path) -> None:
    """Code of one's own lies in the zip beside ours, and DJANGO_SETTINGS_MODULE names it."""
    own = tmp_path / "code"
    own.mkdir()
    for path in code.iterdir():
        (own / path.name).symlink_to(path)
    (own / "shop_settings.py").write_text(
        "from lazyimages.aws.lambda_settings import *\nLAZYIMAGES = LAZYIMAGES | {'SIZES': ['7w']}\n"
    )
    variables = environment(s3_url) | {"DJANGO_SETTINGS_MODULE": "shop_settings"}
    with Function(own, variables) as function:
        assert json.loads(Answer(function.invoke(rest("/health?live"))).body)["sizes"] == ["7w"]
