"""Settings pages: my account, organisation, users, keys, approval rules, senders, audit log, system; and health."""
