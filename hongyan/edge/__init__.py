"""The surface without sign-in: opens and clicks, one-click unsubscribe, preferences, mails in the browser, forms.

``asgi`` answers what mail clients ask for in great numbers before Django sees it; a hit is answered after it is
committed. ``digest`` turns hits into events a little later, when it can tell people from machines. ``views`` are the
pages people see. GET never changes anything here but the count of opens and clicks.
"""
