"""The demo shop: real trading history (see data/README.md), invented people, mails and campaigns. Seeded, removable."""
