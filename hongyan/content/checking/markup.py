"""Size, images, links, styles and structure."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from hongyan.content.checking.mail import CheckedMail
from hongyan.content.markup.scan import Token
from hongyan.content.types import Finding, Level, MailType

GMAIL_CLIPS = 102 * 1024  # Gmail hides what comes after, the unsubscribe link first
GMAIL_STYLE = 8192  # a longer <style> is dropped as a whole
_LEFTOVER_HOSTS = frozenset({"example.com", "example.org", "example.net", "yourdomain.com", "domain.com", "localhost"})
_SHORTENERS = frozenset({"bit.ly", "t.co", "tinyurl.com", "goo.gl", "t.cn", "dwz.cn", "url.cn", "suo.im"})
_UNSUPPORTED = {
    "display: flex/grid": re.compile(r"display\s*:\s*(?:inline-)?(?:flex|grid)", re.IGNORECASE),
    "position": re.compile(r"(?<![-\w])position\s*:\s*(?:absolute|fixed|sticky)", re.IGNORECASE),
    "calc()": re.compile(r"calc\(", re.IGNORECASE),
    "var()": re.compile(r"var\(\s*--", re.IGNORECASE),
    "@font-face": re.compile(r"@font-face", re.IGNORECASE),
    "animation": re.compile(r"(?<![-\w])(?:animation|transform)(?:-\w+)?\s*:", re.IGNORECASE),
}
_COLOR = re.compile(r"(?<![-\w])color\s*:\s*(#[0-9a-f]{3,8})", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*(#[0-9a-f]{3,8})", re.IGNORECASE)
_DOMAIN = re.compile(r"^(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/?#].*)?$", re.IGNORECASE)
_SHOWN = 5  # of one kind; more would bury the rest


def size(mail: CheckedMail) -> Iterator[Finding]:
    if mail.size > GMAIL_CLIPS:
        message = _("The mail has %(have)d KB; Gmail hides everything after %(limit)d KB, the unsubscribe link first.")
        values = {"have": round(mail.size / 1024), "limit": GMAIL_CLIPS // 1024}
        yield Finding(Level.WARNING, "size", "", message % values)
    styles = sum(token.end - token.start for token in mail.tokens if token.kind == "raw" and token.name == "style")
    if styles > GMAIL_STYLE:
        message = _("Styles of %(have)d characters: Gmail drops them all above %(limit)d.")
        yield Finding(Level.WARNING, "style_size", "", message % {"have": styles, "limit": GMAIL_STYLE})


def images(mail: CheckedMail) -> Iterator[Finding]:
    found = mail.elements("img")
    without_alt = [image for image in found if image.get("alt") is None]
    for image in without_alt[:_SHOWN]:
        message = _(
            'An image without alternative text: many people see only that text. Write alt="" for mere decoration.'
        )
        yield Finding(Level.WARNING, "image_alt", mail.line_of(_value(image, "src")), message)
    for image in [image for image in found if not _value(image, "width") and "width" not in _value(image, "style")][
        :_SHOWN
    ]:
        message = _("An image without a width: Outlook shows it in its full size.")
        yield Finding(Level.WARNING, "image_size", mail.line_of(_value(image, "src")), message)
    for image in [image for image in found if _value(image, "src").startswith("http://")][:_SHOWN]:
        message = _("An image over http:// is blocked or marked unsafe; use https://.")
        yield Finding(Level.WARNING, "image_http", mail.line_of(_value(image, "src")), message)
    for image in [image for image in found if _is_relative(_value(image, "src"))][:_SHOWN]:
        message = _("This image has no full address, so nobody will see it.")
        yield Finding(Level.ERROR, "image_relative", mail.line_of(_value(image, "src")), message)
    if found and len(mail.visible_text) < 120:
        message = _("Almost only images: people who do not load images see an empty mail, and filters distrust it.")
        yield Finding(Level.WARNING, "image_only", "", message)


def links(mail: CheckedMail) -> Iterator[Finding]:
    reported: set[tuple[str, str]] = set()
    for link in mail.elements("a", "area"):
        for finding in _link(mail, link):
            if (finding.code, finding.place) not in reported and len(reported) < 20:
                reported.add((finding.code, finding.place))
                yield finding
    bare = mail.version.kind != "text" and not mail.version.links and not reported
    if bare and mail.version.mail_type != MailType.TRANSACTIONAL:
        yield Finding(Level.NOTE, "no_links", "", _("The mail has no link, so nobody can act on it with a click."))


def _link(mail: CheckedMail, link: Token) -> Iterator[Finding]:
    url = html.unescape(_value(link, "href")).strip()
    if link.get("href") is None or url.startswith(("hongyan:", "mailto:", "tel:", "sms:", "…")):
        return
    if url in {"", "#"} or url.lower().startswith("#"):
        yield Finding(Level.ERROR, "link_empty", mail.line_of('href="#"'), _("A link that leads nowhere."))
        return
    if _is_relative(url):
        place = mail.line_of(_value(link, "href"))
        yield Finding(
            Level.ERROR, "link_relative", place, _("A link without a full address (https://…) works nowhere.")
        )
        return
    written = url.split("utm_source=hongyan", 1)[0].rstrip("?&")
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    if host in _LEFTOVER_HOSTS:
        message = _("The link still leads to %(host)s.") % {"host": host}
        yield Finding(Level.ERROR, "link_leftover", mail.line_of(written), message)
    if url.startswith("http://"):
        yield Finding(
            Level.WARNING,
            "link_http",
            mail.line_of(written),
            _("A link over http://; use https:// where the site has it."),
        )
    if host in _SHORTENERS:
        message = _("Link shorteners hide where a link leads; filters treat them as spam.")
        yield Finding(Level.WARNING, "link_shortener", mail.line_of(written), message)
    shown = _DOMAIN.match(_label(mail, link))
    if shown and not _same_site(shown.group(1).lower(), host):
        message = _("The text shows %(shown)s, but the link leads to %(host)s, as phishing does.")
        yield Finding(
            Level.WARNING, "link_mismatch", mail.line_of(written), message % {"shown": shown.group(1), "host": host}
        )


def styles(mail: CheckedMail) -> Iterator[Finding]:
    source = mail.version.source
    if re.search(r"<link\b[^>]*stylesheet|@import\b", source, re.IGNORECASE):
        message = _(
            "External style sheets are left out: mail programs do not load them, and they would report readers."
        )
        yield Finding(Level.WARNING, "external_css", mail.line_of(_first(source, r"<link\b|@import\b")), message)
    if mail.version.kind != "html":  # what MJML makes is known to work
        return
    found = [name for name, pattern in _UNSUPPORTED.items() if pattern.search(source)]
    if found:
        message = _("Not supported by Outlook or Gmail: %(names)s.") % {"names": ", ".join(found)}
        yield Finding(Level.WARNING, "css_support", "", message)


def contrast(mail: CheckedMail) -> Iterator[Finding]:
    reported: set[tuple[str, str]] = set()
    for token in mail.tokens:
        style = token.get("style") if token.kind == "open" and not token.outlook else None
        if style is None:
            continue
        ink, paper = _COLOR.search(style.value), _BACKGROUND.search(style.value)
        if not ink or not paper or (ink.group(1), paper.group(1)) in reported or len(reported) >= _SHOWN:
            continue
        ratio = contrast_ratio(ink.group(1), paper.group(1))
        if ratio is not None and 1.05 < ratio < 4.5 and "font-size:0" not in style.value:
            reported.add((ink.group(1), paper.group(1)))
            message = _("%(ink)s on %(paper)s is hard to read: contrast %(ratio).1f, at least 4.5 is needed.")
            values = {"ink": ink.group(1), "paper": paper.group(1), "ratio": ratio}
            yield Finding(Level.WARNING, "contrast", mail.line_of(ink.group(1)), message % values)


def structure(mail: CheckedMail) -> Iterator[Finding]:
    if mail.version.kind != "html":
        return
    root = next(iter(mail.elements("html")), None)
    if root is None or not _value(root, "lang"):
        message = _('Say the language of the mail, <html lang="zh-Hans">: screen readers choose the voice by it.')
        yield Finding(Level.NOTE, "language", "source:1", message)


def contrast_ratio(first: str, second: str) -> float | None:
    """WCAG 2.2, contrast ratio of two hex colours.

    >>> contrast_ratio("#000", "#ffffff")
    21.0
    """
    lights = [_luminance(color) for color in (first, second)]
    if lights[0] is None or lights[1] is None:
        return None
    low, high = sorted((lights[0], lights[1]))
    return round((high + 0.05) / (low + 0.05), 2)


def _luminance(color: str) -> float | None:
    digits = color.lstrip("#")
    if len(digits) in {3, 4}:
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in {6, 8}:
        return None
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _value(token: Token, name: str) -> str:
    attribute = token.get(name)
    return attribute.value if attribute else ""


def _is_relative(url: str) -> bool:
    return bool(url) and not re.match(r"[a-z][a-z0-9+.-]*:|…", url, re.IGNORECASE)


def _label(mail: CheckedMail, link: Token) -> str:
    end = mail.markup.find("</a", link.end)
    return re.sub(r"<[^>]*>", "", html.unescape(mail.markup[link.end : end])).strip() if end >= 0 else ""


def _same_site(shown: str, host: str) -> bool:
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    return shown == host or host.endswith("." + shown) or shown.endswith("." + host)


def _first(source: str, pattern: str) -> str:
    match = re.search(pattern, source, re.IGNORECASE)
    return match.group() if match else ""
