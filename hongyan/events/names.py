"""Names of facts: the closed vocabulary of mail events, and Segment's spec for pages, apps and commerce.

Names of the spec are stored in snake_case, whether a client wrote ``Order Completed`` or ``order_completed``; all other
names are kept as they came.
"""

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final


class EmailEvent(StrEnum):
    """Properties of all: origin_kind, origin_id, message_id, machine (reason text, or null for people)."""

    SENT = "email_sent"  # the receiving server accepted the mail
    DEFERRED = "email_deferred"  # temporary refusal; will be tried again
    BOUNCED = "email_bounced"  # permanent refusal, at SMTP time or by a later report
    DELIVERED = "email_delivered"  # confirmed by a provider
    OPENED = "email_opened"
    CLICKED = "email_clicked"  # also: link (index in the content version)
    COMPLAINED = "email_complained"
    UNSUBSCRIBED = "email_unsubscribed"
    SUBSCRIBED = "email_subscribed"


# Segment's spec: E-commerce V2, Video, Live chat, B2B SaaS, Mobile lifecycle (segment.com/docs/connections/spec).
SPEC_NAMES: Final = frozenset(
    """
    products_searched product_list_viewed product_list_filtered promotion_viewed promotion_clicked product_clicked
    product_viewed product_added product_removed cart_viewed cart_shared checkout_started checkout_step_viewed
    checkout_step_completed payment_info_entered order_updated order_completed order_refunded order_cancelled
    coupon_entered coupon_applied coupon_denied coupon_removed product_added_to_wishlist product_removed_from_wishlist
    wishlist_product_added_to_cart product_shared product_reviewed
    application_installed application_opened application_updated application_backgrounded application_crashed
    application_uninstalled push_notification_received push_notification_tapped push_notification_bounced
    install_attributed deep_link_clicked deep_link_opened
    account_created account_deleted signed_up signed_in signed_out invite_sent account_added_user account_removed_user
    trial_started trial_ended
    video_playback_started video_playback_paused video_playback_interrupted video_playback_buffer_started
    video_playback_buffer_completed video_playback_seek_started video_playback_seek_completed video_playback_resumed
    video_playback_completed video_content_started video_content_playing video_content_completed
    live_chat_conversation_started live_chat_message_sent live_chat_message_received live_chat_conversation_ended
    page_viewed screen_viewed
    """.split()  # noqa: SIM905  seventy names read better as prose
)
# What other rooms and our own snippet write.
OWN_NAMES: Final = frozenset(
    """
    audience_entered audience_left tag_added tag_removed lifecycle_changed rfm_changed object_updated company_assigned
    identified traits_noted session_started page_left page_scrolled form_submitted
    """.split()  # noqa: SIM905
)
# Names of the first version of the spec, which old libraries and themes still send.
_OLD: Final = {
    "completed_order": "order_completed",
    "updated_order": "order_updated",
    "refunded_order": "order_refunded",
    "cancelled_order": "order_cancelled",
    "added_product": "product_added",
    "removed_product": "product_removed",
    "viewed_product": "product_viewed",
    "viewed_product_category": "product_list_viewed",
    "clicked_product": "product_clicked",
    "shared_product": "product_shared",
    "searched_products": "products_searched",
    "viewed_checkout_step": "checkout_step_viewed",
    "completed_checkout_step": "checkout_step_completed",
    "clicked_promotion": "promotion_clicked",
    "viewed_promotion": "promotion_viewed",
    "order_canceled": "order_cancelled",
}
LONGEST: Final = 200  # characters of a name


@lru_cache(maxsize=4_096)
def canonical(name: str) -> str:
    """
    >>> canonical("Order Completed"), canonical("order completed"), canonical("Completed Order")
    ('order_completed', 'order_completed', 'order_completed')
    >>> canonical("Started Mission 7"), canonical("试用开始")
    ('Started Mission 7', '试用开始')
    """
    kept = unicodedata.normalize("NFC", name).strip()
    snake = "_".join(kept.replace("_", " ").replace("-", " ").lower().split())
    if snake in SPEC_NAMES:
        return snake
    return _OLD.get(snake, kept)
