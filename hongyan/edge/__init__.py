"""The surface without sign-in: opens, clicks, unsubscribe, preferences, forms."""
