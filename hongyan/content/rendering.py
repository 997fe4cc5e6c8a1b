"""A content version made ready once, then rendered for each person.

The engine is MiniJinja without any of its own functions and with a short list of filters; templates come from
``build`` and hold nothing an author typed inside a tag. Values come in once, cleaned, and are printed escaped for where
they stand.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import minijinja

from hongyan.content.errors import BadLink, EmptyValue, OutputTooLarge, RenderRefused
from hongyan.content.language.expressions import FILTERS
from hongyan.content.pieces import Pieces, Uncut, Unusual, Values
from hongyan.content.types import Link, LinkMaker, MailBytes, RenderedMail
from hongyan.content.values import MAX_LENGTH, clean
from hongyan.content.words import names
from hongyan.core.text import crlf

# Without loops a render takes about as many steps as the template has tags; a real mail needs some hundreds.
FUEL = 200_000
MAX_OUTPUT = 2 * 2**20  # characters
MAX_SUBJECT = 900
_SPECIAL = re.compile("[&<>\"']")
_SPECIAL_BYTES = re.compile(b"[&<>\"']")
_ADDRESSES = frozenset({"unsubscribe_url", "preferences_url", "view_url", "action_url"})


class Compilation(Protocol):
    """A ContentVersion, or anything else that carries a compiled mail."""

    compiled_subject: str
    compiled_html: str
    compiled_text: str
    variables: Any  # list of dotted paths
    links: Any  # list of {index, url, label}


def prepare(version: Compilation) -> "PreparedMail":
    links = [Link(**link) if isinstance(link, Mapping) else link for link in version.links]
    return PreparedMail(
        subject=version.compiled_subject,
        markup=version.compiled_html,
        text=version.compiled_text,
        variables=version.variables,
        links=links,
    )


class PreparedMail:
    """Thread safe: rendering changes nothing in it."""

    def __init__(
        self, *, subject: str, markup: str, text: str, variables: Sequence[str], links: Sequence[Link]
    ) -> None:
        self._templates = {"subject.txt": subject, "text.txt": text} | ({"mail.html": markup} if markup else {})
        self._engine = _engine(self._templates)
        self._has_html = bool(markup)
        self._plain_subject = None if "{" in subject else subject
        self._contact_keys = _keys(variables, "contact.")
        self._custom_keys = _keys(variables, "contact.fields.")
        self._sender_keys = _keys(variables, "sender.")
        self._uses = frozenset(name.split(".")[0] for name in variables)
        self._own_links = sorted(self._uses & _ADDRESSES)
        self._urls = [link.url for link in links]
        self._escaped_urls = [html.escape(url) for url in self._urls]
        self._url_bytes = [url.encode() for url in self._urls]
        self._escaped_bytes = [url.encode() for url in self._escaped_urls]
        self._numbers = [str(number).encode() for number in range(len(links))]
        self._cut()

    def _cut(self) -> None:
        """The parts as pieces; None where only the whole can be rendered."""
        self._pieces: tuple[Pieces, Pieces, Pieces | None] | None = None
        try:
            self._pieces = (
                self._pieces_of("subject.txt"),
                self._pieces_of("text.txt"),
                self._pieces_of("mail.html") if self._has_html else None,
            )
        except Uncut:
            return

    def _pieces_of(self, name: str) -> Pieces:
        is_html = name.endswith(".html")

        def chunk(code: str) -> Callable[[Values], str]:
            own = f"{len(self._templates)}.{name}"
            self._templates[own] = code
            self._engine.add_template(own, code)
            render = self._engine.render_template
            return lambda values: render(own, **values)

        return Pieces(
            self._templates[name].replace("\r\n", "\n").replace("\r", "\n"),
            is_html=is_html,
            ready=_ADDRESSES,
            links=0 if name == "subject.txt" else len(self._urls),
            chunk=chunk,
        )

    def render_bytes(self, context: Mapping[str, Any], links: LinkMaker) -> MailBytes:
        """As ``render``, the parts ready for a message. Raises RenderRefused."""
        if self._pieces is not None:
            try:
                return self._assembled(self._pieces, self._values(context, links), links)
            except (Unusual, minijinja.TemplateError):
                pass  # the whole says what is wrong, or prints what is out of the ordinary
        whole = self.render(context, links)
        return MailBytes(whole.subject, *(crlf(part.encode("utf-8", "replace")) for part in (whole.html, whole.text)))

    def _assembled(
        self, pieces: tuple[Pieces, Pieces, Pieces | None], values: dict[str, Any], links: LinkMaker
    ) -> MailBytes:
        of_subject, of_text, of_html = pieces
        subject = self._plain_subject
        if subject is None:
            subject = " ".join(of_subject.join(values, ()).decode().split())
        if not 0 < len(subject) <= MAX_SUBJECT:
            raise Unusual
        values["mail"] = {"subject": subject}
        values["_p"] = ""
        if of_text.uses_engine or (of_html is not None and of_html.uses_engine):
            values["_m"] = links
            values["_l"] = self._addresses(links)
        addresses = self._tracked(links) if links.tracks_clicks else self._url_bytes
        text = of_text.join(values, addresses).lstrip(b"\r\n")
        markup = b""
        if of_html is not None:
            if addresses is self._url_bytes:
                addresses = self._escaped_bytes
            elif _SPECIAL_BYTES.search(addresses[0] if addresses else b""):
                addresses = [html.escape(address.decode()).encode() for address in addresses]
            pixel = links.open_pixel_url()
            values["_p"] = html.escape(pixel) if pixel else ""
            if of_html.uses_engine:
                values["_l"] = [html.escape(address) for address in values["_l"]]
                for name in self._own_links:
                    values[name] = minijinja.safe(html.escape(values[name]))
            markup = of_html.join(values, addresses)
        if len(markup) > MAX_OUTPUT or len(text) > MAX_OUTPUT:
            raise Unusual  # counted in characters by the whole
        return MailBytes(subject, markup, text)

    def _addresses(self, links: LinkMaker) -> list[str]:
        if not links.tracks_clicks:
            return self._urls
        start = links.click_start()
        return [f"{start}{index}" for index in range(len(self._urls))]

    def _tracked(self, links: LinkMaker) -> list[bytes]:
        start = links.click_start().encode()
        return [start + number for number in self._numbers]

    def render(self, context: Mapping[str, Any], links: LinkMaker) -> RenderedMail:
        """Raises RenderRefused (see ``errors``) when this person's mail cannot go out."""
        values = self._values(context, links)
        try:
            return self._render(self._engine, values, links)
        except minijinja.TemplateError:
            pass
        try:
            # Again with the engine's diagnosis switched on, which costs every render a sixth and is needed only now.
            return self._render(_engine(self._templates, debug=True), self._values(context, links), links)
        except minijinja.TemplateError as error:
            raise _refusal(error) from None  # the engine's error may quote this person's values

    def _render(self, engine: minijinja.Environment, values: dict[str, Any], links: LinkMaker) -> RenderedMail:
        subject = self._plain_subject
        if subject is None:
            subject = " ".join(engine.render_template("subject.txt", **values).split())
        if "mail" in self._uses:
            values["mail"] = {"subject": subject}
        addresses = self._addresses(links)
        text = engine.render_template("text.txt", _l=addresses, _m=links, **values)
        markup = self._render_html(engine, values, addresses, links) if self._has_html else ""
        if not subject or len(subject) > MAX_SUBJECT:
            raise EmptyValue("subject") if not subject else OutputTooLarge
        if len(markup) > MAX_OUTPUT or len(text) > MAX_OUTPUT:
            raise OutputTooLarge
        return RenderedMail(subject, markup, text.lstrip("\n"))

    def _render_html(
        self, engine: minijinja.Environment, values: dict[str, Any], addresses: list[str], links: LinkMaker
    ) -> str:
        if addresses is self._urls:
            addresses = self._escaped_urls
        elif _SPECIAL.search("".join(addresses)):
            addresses = [html.escape(address) for address in addresses]
        pixel = links.open_pixel_url()
        for name in self._own_links:
            values[name] = minijinja.safe(html.escape(values[name]))
        values["_p"] = html.escape(pixel) if pixel else ""
        return engine.render_template("mail.html", _l=addresses, _m=links, **values)

    def _values(self, context: Mapping[str, Any], links: LinkMaker) -> dict[str, Any]:
        """Only what the mail reads; empty values left out, so that the engine sees them as undefined."""
        values: dict[str, Any] = {}
        uses = self._uses
        if "contact" in uses:
            given = context.get("contact") or {}
            contact = _filled(given, self._contact_keys)
            if self._custom_keys:
                contact["fields"] = _filled(given.get("fields") or {}, self._custom_keys)
            values["contact"] = contact
        if "sender" in uses:
            values["sender"] = _filled(context.get("sender") or {}, self._sender_keys)
        if "today" in uses:
            values["today"] = context["today"]
        if "unsubscribe_url" in uses:
            values["unsubscribe_url"] = links.unsubscribe_url()
        if "preferences_url" in uses:
            values["preferences_url"] = links.preferences_url()
        if "view_url" in uses:
            values["view_url"] = links.view_url()
        if "action_url" in uses:
            action = context.get("action_url")
            if not action:
                raise EmptyValue("action_url")
            values["action_url"] = action
        return values


def _keys(variables: Sequence[str], prefix: str) -> tuple[str, ...]:
    return tuple(
        name[len(prefix) :] for name in variables if name.startswith(prefix) and "." not in name[len(prefix) :]
    )


def _filled(given: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    filled = {}
    for key in keys:
        value = given.get(key)
        # The common case of ``clean`` inline: twelve calls fewer are a tenth of a render.
        if value.__class__ is str and value.isprintable() and len(value) <= MAX_LENGTH:
            value = value.strip() or None
        else:
            value = clean(value)
        if value is not None:
            filled[key] = value
    return filled


def _refusal(error: minijinja.TemplateError) -> RenderRefused:
    """What went wrong for this person, without their data: MiniJinja's own message may quote it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RenderRefused):
            return cause
        cause = cause.__cause__
    if error.kind == "UndefinedError":
        name = (error.detail or "").split("`")
        return EmptyValue(name[1] if len(name) > 2 else "")
    if error.kind == "OutOfFuel":
        return OutputTooLarge()
    return RenderRefused(str(error.kind))


def _engine(templates: Mapping[str, str], *, debug: bool = False) -> minijinja.Environment:
    engine: minijinja.Environment = minijinja.Environment(
        fuel=FUEL,
        pycompat=False,
        debug=debug,
        keep_trailing_newline=True,
        # Strict, but asking whether something is there is allowed. The package's stub does not know this mode yet.
        undefined_behavior=cast("Any", "semi_strict"),
    )
    for name in ("range", "dict", "debug", "namespace", "cycler", "joiner"):
        engine.remove_global(name)
    for name in _BUILT_IN_FILTERS - FILTERS.keys():
        engine.remove_filter(name)
    engine.add_filter("truncate", _truncate)
    engine.add_filter("number", _number)
    engine.add_filter("_link", minijinja.pass_state(_link))
    engine.add_filter("_address", minijinja.pass_state(_checked))
    for name, source in templates.items():
        engine.add_template(name, source)
    return engine


_BUILT_IN_FILTERS = names(
    "abs attr batch bool capitalize chain count d dictsort e escape filesizeformat first float format"
    " groupby indent int items join last lines list map max min pluralize pprint reject rejectattr replace"
    " reverse select selectattr slice sort split string striptags sum tojson unique wordwrap zip"
)


def _truncate(value: object, length: object) -> str:
    text = str(value)
    limit = max(1, min(int(str(length)), 10_000))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _number(value: object, digits: object = 0) -> str:
    """Thousands separated, as both languages of the product write them."""
    try:
        return f"{float(str(value)):,.{max(0, min(int(str(digits)), 6))}f}"
    except ValueError:
        return str(value)


def _address(value: object) -> str:
    """An address made of a person's data: a web address, or this mail is not sent."""
    url = str(value).strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        good = False
    if not good or not url.isprintable() or len(url) > 2000 or any(character in url for character in ' "<>\\^`'):
        raise BadLink
    return url


def _checked(state: Any, value: object) -> str:
    return _printable(state, _address(value))


def _link(state: Any, value: object) -> str:
    url = _address(value)
    links: LinkMaker = state.lookup("_m")
    return _printable(state, links.dynamic_click_url(url) if links.tracks_clicks else url)


def _printable(state: Any, url: str) -> str:
    """Escaped here rather than by the engine, which would also turn every slash into an entity."""
    return minijinja.safe(html.escape(url)) if state.auto_escape == "html" else url
