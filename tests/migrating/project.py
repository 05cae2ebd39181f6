"""What a project shows before, beside and after: `python -m tests.migrating.project` prints it as JSON."""

import json
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def main(measure: str, remove: str, photos: list[str]) -> dict[str, Any]:
    """Go the steps of docs/migrating.md with photos; `measure` and `remove` are its scripts, or a command.

    Returns for each photo, by the name of its file, what every step shows, and what is left in the end.
    """
    from django.core.files.base import ContentFile
    from django.core.management import call_command
    from django.db import connection
    from django.template.loader import render_to_string

    from tests.migrating.shop.models import NewProduct, Product

    def show(template: str, product: Any) -> list[dict[str, Any]]:
        return pictures(render_to_string(template, {"product": product}))

    call_command("migrate", "--run-syncdb", verbosity=0)
    for name in photos:
        product = Product(name=Path(name).stem)
        product.photo.save(Path(name).name, ContentFile(Path(name).read_bytes()))
    shown: dict[str, Any] = {
        product.name: {"before": show("before.html", product), "beside": show("after.html", product)}
        for product in Product.objects.all()
    }
    with connection.schema_editor() as editor:  # the migration that exchanges the field
        editor.alter_field(Product, *(model._meta.get_field("photo") for model in (Product, NewProduct)))
    exec(compile(measure, "measure.py", "exec"), {})
    for product in NewProduct.objects.all():
        steps = shown[product.name]
        steps |= {"after": show("after.html", product), "still": show("before.html", product)}
        upload = NewProduct(name="new")
        upload.photo.save("new.jpg", ContentFile(product.photo.open().read()))
        upload = NewProduct.objects.get(pk=upload.pk)
        steps |= {"new": show("after.html", upload), "new before": show("before.html", upload)}
    if "\n" in remove:
        exec(compile(remove, "remove.py", "exec"), {})
    else:
        call_command(*remove.split(), verbosity=0)
    media = settings.MEDIA_ROOT
    left = sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())
    return {"shown": shown, "left": left, "names": sorted(p.photo.name for p in NewProduct.objects.all())}


def pictures(html: str) -> list[dict[str, Any]]:
    """Return what each `<img>` says of its picture, and what the picture is."""
    from django.test import Client
    from PIL import Image

    found = []
    for element in re.findall(r"<img [^>]*>", html):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', element))
        source = attributes["src"]
        if source.startswith(settings.MEDIA_URL):
            data = (settings.MEDIA_ROOT / source.removeprefix(settings.MEDIA_URL)).read_bytes()
        else:
            response = Client().get(source)
            assert response.status_code == 200, (source, response.status_code)
            data = response.content
        picture = Image.open(BytesIO(data)).convert("RGB")
        found.append(
            {
                "alt": attributes["alt"],
                "says": [int(attributes[side]) for side in ("width", "height") if side in attributes],
                "is": picture.size,
                "pixels": list(picture.resize((24, 18), Image.Resampling.BOX).tobytes()),
            }
        )
    return found


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3:])))
