"""Templates and content versions are written by staff and sent to many; nothing in them is about one person."""

HOLDS_PEOPLE: tuple[str, ...] = ()
KEPT = {
    "content.ContentVersion": "as long as the send log names it: proof of what was sent",
    "content.Template": "until archived by its authors",
}
