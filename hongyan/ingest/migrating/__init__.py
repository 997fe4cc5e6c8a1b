"""Exports of other systems: Mailchimp, HubSpot, Salesforce, listmonk, Mautic.

``recognise`` tells by the header which system a file comes from and which column means what (pure). ``standing`` reads
what a row says about consent (pure). ``apply`` writes it: consent with its original time and address as evidence,
withdrawals and bounces as suppressions, memberships of lists, and what happened there as events. ``archive`` unpacks
the ZIP some of them deliver.

Promise: nobody's consent becomes better than it was, neither there nor here.
"""
