"""Orders, their lines, refunds and products, from files, shops and the API.

Promises: an order is one row whatever number of times it arrives; money is in minor units with its ISO 4217 code; every
change that matters to marketing is also an event of the contact (Segment's commerce names).
"""
