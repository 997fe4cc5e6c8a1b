"""The OpenAPI page: Swagger's, inside a page of the product."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger


class Description(Swagger):
    template = "web/api_page.html"

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        url = self.get_openapi_url(api, kwargs)
        # Stands in a script element: no "<" of a path may end it.
        said = json.dumps({**self.settings, "url": url}).replace("<", "\\u003c")
        return render(request, self.template, {"swagger_settings": said, "openapi_url": url})
