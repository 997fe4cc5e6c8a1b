"""Reading one row of a file of products. Pure."""

from collections.abc import Sequence

from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.money import checked_currency, minor_of
from hongyan.commerce.products import fault
from hongyan.commerce.types import ProductIn
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise import boolean
from hongyan.ingest.commerce.rows import Bad, whole_number
from hongyan.ingest.commerce.types import OrderOptions
from hongyan.ingest.neutral import restore
from hongyan.ingest.types import Reject

_ON = frozenset({"active", "published", "publish", "available", "上架", "在售", "已上架"})
_OFF = frozenset({"inactive", "draft", "archived", "unavailable", "下架", "停售", "已下架"})


class ProductReader:
    def __init__(self, mapping: Sequence[str], options: OrderOptions) -> None:
        self._at = {target: column for column, target in enumerate(mapping) if target}
        self._options = options

    def read(self, line: int, cells: Sequence[str]) -> ProductIn | Reject:
        try:
            product = self._read(cells)
        except Bad as bad:
            return Reject(line, self._at.get(bad.target), bad.code, bad.value[:200])
        code = fault(product)
        return Reject(line, None, code, product.external_id[:200]) if code else product

    def _text(self, name: str, cells: Sequence[str]) -> str:
        column = self._at.get(name)
        return "" if column is None else restore(cells[column].strip())

    def _read(self, cells: Sequence[str]) -> ProductIn:
        given = {name: self._text(name, cells) for name in ("sku", "title", "category", "brand", "url", "image_url")}
        currency, price = self._text("currency", cells), self._text("price", cells)
        external_id = whole_number(self._text("product_id", cells)) or given["sku"]
        if not external_id:
            raise Bad("sku", "id_missing", "")
        try:
            code = checked_currency(currency) if currency else self._options.currency
        except CommerceRefused as refused:
            raise Bad("currency", refused.code, currency) from refused
        try:
            minor = minor_of(price, code) if price else None
        except CommerceRefused as refused:
            raise Bad("price", refused.code, price) from refused
        # Several pictures in one cell: the first is the one shown.
        given["image_url"] = given["image_url"].split(",")[0].strip()
        return ProductIn(
            external_id=external_id,
            currency=code if minor is not None else "",
            price_minor=minor,
            active=self._active(self._text("active", cells)),
            sku=given["sku"],
            title=given["title"],
            category=given["category"],
            brand=given["brand"],
            url=given["url"],
            image_url=given["image_url"],
        )

    def _active(self, text: str) -> bool:
        word = text.casefold()
        if not word or word in _ON:
            return True
        if word in _OFF:
            return False
        try:
            return boolean(text)
        except NormaliseProblem as problem:
            raise Bad("active", problem.code, text) from problem
