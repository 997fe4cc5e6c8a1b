"""Pages for mails: the list and shelf of templates, the editor with its preview, snippets.

A mail is always shown in a sandboxed frame under a policy of its own, rendered by the code that sends.
"""
