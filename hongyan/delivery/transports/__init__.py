"""How mail leaves: SMTP, by a client of our own (``smtp``) over a pure protocol core (``wire``)."""
