"""One address a shop. 200 means committed; 401 the signature is wrong; anything of ours that fails is a 5xx, so that
the shop tries again."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from hongyan.commerce.messages import MOST_BYTES, message_keep, message_refused, shop_of, signed_by
from hongyan.commerce.models import Shop

# Signature, topic, id of the delivery. Shopify repeats a delivery with the same id.
# https://shopify.dev/docs/apps/build/webhooks/subscribe/https
_HEADERS = {
    Shop.Kind.SHOPIFY: ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Webhook-Id"),
    Shop.Kind.WOOCOMMERCE: ("X-WC-Webhook-Signature", "X-WC-Webhook-Topic", "X-WC-Webhook-Delivery-ID"),
}
_PING = b"webhook_id="  # WooCommerce tries an address when it is saved, unsigned and without a topic


@csrf_exempt
@require_POST
def receive(request: HttpRequest, shop_id: UUID) -> HttpResponse:
    shop = shop_of(shop_id)
    if shop is None:
        return HttpResponse(status=404)
    length = request.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    body = request.body
    if len(body) > MOST_BYTES:
        return HttpResponse(status=413)
    signature, topic, delivery = (request.headers.get(name, "") for name in _HEADERS[Shop.Kind(shop.kind)])
    if shop.kind == Shop.Kind.WOOCOMMERCE and not topic and len(body) < 64 and body.startswith(_PING):
        return HttpResponse(status=200)
    if not signature or not signed_by(shop, body, signature):
        message_refused(shop)
        return HttpResponse(status=401)
    if not topic or len(topic) > 64 or not topic.isascii():
        return HttpResponse(status=400)
    message_keep(shop, topic=topic, delivery=delivery, body=body)
    return HttpResponse(status=200)
