"""Authenticated encryption of identifying data, blind indexes and signed tokens.

``sealing`` and ``blind`` are pure (keys in, bytes out); ``keyring`` loads the keys of this installation.
"""
