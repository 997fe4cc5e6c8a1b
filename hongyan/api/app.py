"""The API as one object: routers of all rooms, key sign-in, problem answers, the OpenAPI page."""

from ninja import NinjaAPI

from hongyan import __version__
from hongyan.api import problems
from hongyan.api.auth import KeyAuth
from hongyan.api.description import Description
from hongyan.api.routes import (
    audiences,
    campaigns,
    commerce,
    companies,
    consent,
    contacts,
    identity,
    imports,
    objects,
    reports,
    sources,
    tags,
    templates,
)

api = NinjaAPI(
    title="Hongyan",
    version=__version__,
    urls_namespace="api",
    auth=KeyAuth(),
    docs=Description(settings={"persistAuthorization": False}),
    description=(
        "Sign in with `Authorization: Bearer <key>`; keys and their scopes are made under Settings. "
        "Lists answer `items` and `next`; give `next` back as `cursor`. "
        "Send `Idempotency-Key` with a POST and repeat it safely for a day. "
        "Errors are `application/problem+json` in the language of `Accept-Language` (zh-Hans, en)."
    ),
)
problems.install(api)
api.add_router("/contacts", contacts.router, tags=["contacts"])
api.add_router("/contacts", consent.router, tags=["consent"])
api.add_router("", commerce.router, tags=["orders and products"])
api.add_router("/objects", objects.router, tags=["objects"])
api.add_router("/companies", companies.router, tags=["companies"])
api.add_router("/identity", identity.router, tags=["identity"])
api.add_router("/tags", tags.router, tags=["tags"])
api.add_router("/audiences", audiences.router, tags=["audiences"])
api.add_router("/imports", imports.router, tags=["imports"])
api.add_router("", sources.router, tags=["sources and quarantine"])
api.add_router("/templates", templates.router, tags=["templates"])
api.add_router("/campaigns", campaigns.router, tags=["campaigns"])
api.add_router("/reports", reports.router, tags=["reports"])
