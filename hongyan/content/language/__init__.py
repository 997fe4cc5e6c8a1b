"""The merge language: an allow-list subset of Jinja that cannot loop, grow or reach beyond its documented fields.

``tags`` cuts a source into text and tags, ``expressions`` parses what stands in a tag, ``program`` checks names and
blocks and writes each tag anew for MiniJinja. Nothing an author typed inside a tag reaches the engine as typed. Pure:
no database, no clock.
"""
