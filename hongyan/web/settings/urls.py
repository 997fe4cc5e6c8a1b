from django.urls import URLPattern, URLResolver, path

from hongyan.web.settings import index, keys, log, organisation, people, profile, rules, senders, system

app_name = "settings"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", index.index, name="index"),
    path("profile/", profile.profile, name="profile"),
    path("profile/other-sessions/", profile.other_sessions, name="other_sessions"),
    path("organisation/", organisation.edit, name="organisation"),
    path("users/", people.index, name="users"),
    path("users/new/", people.invite, name="invite"),
    path("users/<uuid:public_id>/", people.edit, name="user"),
    path("users/<uuid:public_id>/link", people.link, name="user_link"),
    path("users/<uuid:public_id>/deactivation", people.deactivation, name="user_deactivation"),
    path("users/<uuid:public_id>/reactivation", people.reactivation, name="user_reactivation"),
    path("roles/", people.roles, name="roles"),
    path("api-keys/", keys.index, name="api_keys"),
    path("api-keys/new/", keys.create, name="api_key_create"),
    path("api-keys/<uuid:public_id>/revocation", keys.revocation, name="api_key_revocation"),
    path("approval-rules/", rules.index, name="approval_rules"),
    path("approval-rules/new/", rules.edit, name="approval_rule_create"),
    path("approval-rules/<uuid:public_id>/", rules.edit, name="approval_rule"),
    path("approval-rules/<uuid:public_id>/deletion", rules.deletion, name="approval_rule_deletion"),
    path("senders/", senders.index, name="senders"),
    path("senders/new/", senders.edit, name="sender_create"),
    path("senders/<uuid:public_id>/", senders.edit, name="sender"),
    path("senders/<uuid:public_id>/archiving", senders.archiving, name="sender_archiving"),
    path("mail/", senders.mail, name="mail"),
    path("audit/", log.index, name="audit"),
    path("audit/verification/", log.verification, name="audit_verification"),
    path("audit/verify", log.verify, name="audit_verify"),
    path("audit/chain-head.json", log.head, name="audit_head"),
    path("system/", system.index, name="system"),
    path("system/demo-removal", system.demo_removal, name="demo_removal"),
    path("system/jobs/<uuid:public_id>/<str:act>", system.job_act, name="job_act"),
]
