"""The acts of this room, in one place to import from; each is written in the module named after it."""

from hongyan.delivery.holds import cancel, pause, resume
from hongyan.delivery.outbox import check_disk, default_sender, dispatch, send_now
from hongyan.delivery.senders import SenderRefused, SenderValues, sender_archive, sender_create, sender_update
from hongyan.delivery.uncertain import Resolution, uncertain_proved_sent, uncertain_resolve

__all__ = [
    "Resolution",
    "SenderRefused",
    "SenderValues",
    "cancel",
    "check_disk",
    "default_sender",
    "dispatch",
    "pause",
    "resume",
    "send_now",
    "sender_archive",
    "sender_create",
    "sender_update",
    "uncertain_proved_sent",
    "uncertain_resolve",
]
