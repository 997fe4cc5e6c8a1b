"""Outbox, gate, transports, links, senders: nobody is mailed twice, nobody is lost, every refusal has a name."""
