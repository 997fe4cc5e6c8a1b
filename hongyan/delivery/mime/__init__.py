"""The bytes of a message: addresses, header gate and folder, bodies, signature. Pure: values in, bytes out.

The standard library's ``EmailMessage`` makes 270 personalised mails a second, turns long List-Unsubscribe values into
encoded-words, and lets VT, FF and 0x1C-0x1E end a header block; so messages are assembled here.
"""
