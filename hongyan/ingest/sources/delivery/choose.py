from datetime import datetime

from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.delivery.base import Deliverer
from hongyan.ingest.sources.delivery.contacts import ContactsDeliverer
from hongyan.ingest.sources.delivery.events import EventsDeliverer
from hongyan.ingest.sources.delivery.objects import ObjectsDeliverer
from hongyan.ingest.sources.types import Target


def deliverer_of(source: Source, at: datetime) -> Deliverer:
    if source.target == Target.CONTACTS:
        return ContactsDeliverer(source, at)
    if source.target == Target.EVENTS:
        return EventsDeliverer(source, at)
    if source.target == Target.OBJECTS:
        return ObjectsDeliverer(source, at)
    from hongyan.ingest.sources.delivery.orders import OrdersDeliverer, ProductsDeliverer

    return ProductsDeliverer(source, at) if source.target == Target.PRODUCTS else OrdersDeliverer(source, at)
