"""Rules of tags, lifecycle stages, RFM and ready segments; part of this area's addresses."""

from django.urls import URLPattern, URLResolver, path

from hongyan.web.audiences import ready, rfm, rules, stages

urlpatterns: list[URLPattern | URLResolver] = [
    path("tags/<uuid:public_id>/rule/", rules.edit, name="rule_edit"),
    path("tags/<uuid:public_id>/rule/publication/", rules.publish_tag, name="rule_publish"),
    path("tags/<uuid:public_id>/rule/withdrawal/", rules.withdraw, name="rule_withdraw"),
    path("tags/<uuid:public_id>/rule/discarding/", rules.discard, name="rule_discard"),
    path("tags/<uuid:public_id>/position/", rules.move, name="tag_move"),
    path("tags/groups/<uuid:public_id>/check/", rules.check_page, name="group_check"),
    path("tags/groups/<uuid:public_id>/fixes/", rules.fix, name="group_fix"),
    path("tags/groups/<uuid:public_id>/publication/", rules.publish_group, name="group_publish"),
    path("rule-changes/<uuid:public_id>/undo/", rules.undo, name="rule_undo"),
    path("stages/", stages.page, name="stages"),
    path("stages/rules/", stages.rules_page, name="stage_rules"),
    path("stages/rules/order/", stages.order, name="stage_order"),
    path("stages/rules/<slug:stage>/", stages.rule_edit, name="stage_rule"),
    path("rfm/", rfm.page, name="rfm"),
    path("rfm/rules/", rfm.rules_page, name="rfm_rules"),
    path("ready/", ready.page, name="ready"),
    path("ready/<slug:key>/count/", ready.count, name="ready_count"),
    path("ready/<slug:key>/saving/", ready.save, name="ready_save"),
]
