"""HTML and MJML as text with places: cutting, safety, links, the plain-text part. Nothing is re-serialised, so that
conditional comments and odd but working mail markup go out as they were written."""
