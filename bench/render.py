"""Renders per second of one core: a personal mail of some 25 kB, and Jinja2 making the same substitutions.

The real path: context values in, ``PreparedMail.render`` out (subject, HTML and text; values cleaned, empties checked,
escaped; one click address a link with the message's token; pixel), as delivery calls it. Jinja2 renders the same three
parts with autoescape on and nothing else.

    python -m bench.render            SCALE=0.1 for a quick look
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

FIELDS = ("full_name", "given_name", "family_name", "city", "region", "country_name", "email", "street")
CUSTOM = ("level", "points", "shop", "advisor")
LINKS = 10


def main() -> None:
    if not settings.configured:
        settings.configure(USE_I18N=False)
        django.setup()
    rounds = max(500, int(20_000 * float(os.environ.get("SCALE", "1"))))
    ours, size = _hongyan()
    theirs = _jinja2()
    # Alternating, best of five each: other work on the machine hits both alike.
    values = [(_rate(ours, rounds // 5), _rate(theirs, rounds // 5)) for _ in range(5)]
    value, reference = max(pair[0] for pair in values), max(pair[1] for pair in values)
    print(f"mail of {size:,} bytes HTML, {len(FIELDS) + len(CUSTOM)} fields, {LINKS} links")
    line = {
        "bench": "render",
        "value": round(value),
        "unit": "renders/s",
        "reference": "Jinja2",
        "reference_value": round(reference),
        "ratio": round(value / reference, 2),
    }
    print(json.dumps(line))


def _rate(render: Callable[[], object], rounds: int) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        render()
    return rounds / (time.process_time() - begun)


class _Links:
    """What delivery does: the message's token is signed once, a click address is put together per link."""

    tracks_clicks = True
    _base = "https://news.shop.example/c/AQAAAZOZk3kAAAAAAAAAAAAAAAAAAAAAq8bVcJ3mT0p3kE2w"

    def click_start(self) -> str:
        return f"{self._base}/"

    def dynamic_click_url(self, url: str) -> str:
        return f"{self._base}/x?u={url}"

    def open_pixel_url(self) -> str | None:
        return "https://news.shop.example/o/AQAAAZOZk3kAAAAAAAAAAAAAAAAAAAAAq8bVcJ3mT0p3kE2w"

    def unsubscribe_url(self) -> str:
        return "https://news.shop.example/u/AQAAAZOZk3kAAAAAAAAAAAAAAAAAAAAAq8bVcJ3mT0p3kE2w"

    def preferences_url(self) -> str:
        return "https://news.shop.example/p/AQAAAZOZk3kAAAAAAAAAAAAAAAAAAAAAq8bVcJ3mT0p3kE2w"

    def view_url(self) -> str:
        return "https://news.shop.example/v/AQAAAZOZk3kAAAAAAAAAAAAAAAAAAAAAq8bVcJ3mT0p3kE2w"


def _source() -> str:
    paths = [f"contact.{name}" for name in FIELDS] + [f"contact.fields.{name}" for name in CUSTOM]
    blocks = []
    for number, path in enumerate(paths):
        link = ""
        if number < LINKS - 1:
            link = (
                f'<mj-button href="https://shop.example/products/{number}?ref=autumn">See product {number}</mj-button>'
            )
        blocks.append(
            f"<mj-section><mj-column><mj-text>A paragraph about {{{{ {path} }}}} and what is new this season."
            f"</mj-text>{link}</mj-column></mj-section>"
        )
    footer = '<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>'
    footer = f"<mj-section><mj-column>{footer}</mj-column></mj-section>"
    return f"<mjml><mj-body>{''.join(blocks)}{footer}</mj-body></mjml>"


def _context() -> dict[str, Any]:
    contact: dict[str, Any] = {name: f"value of {name} <&>" for name in FIELDS}
    contact["fields"] = {name: f"custom {name} 值" for name in CUSTOM}
    return {"contact": contact}


def _compiled() -> Any:
    from hongyan.content.build import build
    from hongyan.content.catalogue import STATIC, MergeField
    from hongyan.content.types import MailDraft, SourceKind

    custom = {f"contact.fields.{name}": MergeField(f"contact.fields.{name}", name, "custom", name) for name in CUSTOM}
    draft = MailDraft(subject="For {{ contact.given_name }}: new this season", kind=SourceKind.MJML, source=_source())
    return build(draft, catalogue={**STATIC, **custom}, snippets={})


def _hongyan() -> tuple[Callable[[], object], int]:
    from hongyan.content.rendering import PreparedMail

    compiled = _compiled()
    mail = PreparedMail(
        subject=compiled.subject,
        markup=compiled.html,
        text=compiled.text,
        variables=compiled.variables,
        links=compiled.links,
    )
    context, links = _context(), _Links()
    return (lambda: mail.render_bytes(context, links)), len(mail.render_bytes(context, links).html)


def _jinja2() -> Callable[[], object]:
    import jinja2

    compiled, links = _compiled(), _Links()
    engine = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    plain = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)
    # The same templates: MiniJinja's syntax is Jinja's.
    markup, text, subject = (
        engine.from_string(compiled.html),
        plain.from_string(compiled.text),
        plain.from_string(compiled.subject),
    )
    context = _context()

    def render() -> object:
        values = {
            **context,
            "unsubscribe_url": links.unsubscribe_url(),
            "_l": [f"{links.click_start()}{index}" for index in range(len(compiled.links))],
            "_p": links.open_pixel_url(),
        }
        return subject.render(values), markup.render(values), text.render(values)

    return render


if __name__ == "__main__":
    main()
