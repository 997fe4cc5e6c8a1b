"""Which campaigns rest on a template: asked here, because content does not know campaigns."""

from collections.abc import Sequence

from django.db.models import Count

from hongyan.campaigns.models import Campaign


def template_uses(template_ids: Sequence[int]) -> dict[int, int]:
    """Campaigns by template id; a template without any is missing."""
    found = Campaign.objects.filter(template_id__in=list(template_ids)).values_list("template_id")
    return {key: count for key, count in found.annotate(Count("id")) if key is not None}
