"""What to know about a mail before sending, one file a matter. A check is a function from a mail to findings."""
