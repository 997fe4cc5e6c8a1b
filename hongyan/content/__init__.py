"""Templates, snippets, rendering and the checks a mail passes before it goes out.

Nouns: a *template* is what people edit, with its history; a *content version* is what goes out: checked, compiled once,
immutable, shared by every message that says it. The way of a mail: draft → ``build`` (strict: refuses with a place) →
``ContentVersion`` → ``prepare`` → one ``render`` a person.

Promises: a template reads nothing but its documented context (``catalogue``); a value is escaped for where it stands
and never evaluated again; an empty value without a fallback is an error that names the field, never a gap in a mail.
"""
