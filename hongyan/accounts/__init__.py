"""Users, roles, permissions, API keys, approvals: who may do what. Services above take an ``Actor`` from here."""
