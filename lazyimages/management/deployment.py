"""What follows once a distribution is set up: waiting until it is deployed, and what the settings lack."""

from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from lazyimages.aws import cdn
from lazyimages.aws.cdn import Distribution
from lazyimages.conf import Settings

_EVERY = 30  # seconds between two lines where a line cannot be rewritten


def follow(
    client: Any,
    id: str,
    settings: Settings,
    out: OutputWrapper,
    *,
    changed: bool,
    wait: bool,
) -> None:
    """Wait, if that is asked for, until the distribution is deployed, and say what to do then.

    `cdn.NotDeployed` when that takes too long, and `CommandError` on Ctrl-C; CloudFront goes on in both.
    """
    found = cdn.get(client, id)
    try:
        if found.status != "Deployed":
            _follow(client, found, out, changed=changed, wait=wait)
    except KeyboardInterrupt:
        raise CommandError(
            f"Interrupted. CloudFront goes on by itself to deploy {id}; run the command again to wait on.",
            returncode=130,
        ) from None
    finally:
        _advise(found, settings, out, changed=changed)


def _follow(client: Any, found: Distribution, out: OutputWrapper, *, changed: bool, wait: bool) -> None:
    still = "is being deployed" if changed else "is still being deployed"
    if not wait:
        _line(out, f"The distribution {found.id} {still}. CloudFront goes on by itself.")
        return
    _line(out, f"The distribution {found.id} {still}, which takes some minutes.")
    rewrites = out.isatty()
    said = 0.0

    def say(seconds: float) -> None:
        nonlocal said
        text = f"  deploying for {int(seconds) // 60}:{int(seconds) % 60:02}"
        if rewrites:
            out.write(f"\r{text}", style_func=str, ending="")
            out.flush()
        elif seconds - said >= _EVERY:
            said = seconds
            _line(out, text)

    try:
        cdn.wait(client, found.id, say=say)
    finally:
        if rewrites:
            _line(out, "")
    _line(out, f"The distribution {found.id} is deployed.")


def _advise(found: Distribution, settings: Settings, out: OutputWrapper, *, changed: bool) -> None:
    for note in cdn.notes(found, settings):
        _line(out, f"Note: {note}")
    if changed and (alias := cdn.alias(settings)):
        _line(out, f"In the DNS, {alias} has to be a CNAME record for {found.domain}.")
    if lacking := cdn.settings_to_set(found, settings):
        _line(out, "Put this into LAZYIMAGES:")
        for name, value in lacking.items():
            _line(out, f'    "{name}": "{value}",')


def _line(out: OutputWrapper, text: str) -> None:
    out.write(text, style_func=str)  # standard error is red otherwise
