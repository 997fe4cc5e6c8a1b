"""Pages of audiences: overview, builder, saved audiences, tags, lists.

The builder is ``<hy-audience-builder>``, in a form of any page through one include:

    {% include "audiences/builder.html" with name="audience" tree=tree_json %}

``tree`` is the definition as JSON text (or empty); the form gets it back under ``name``, as JSON text. While it is
edited, the element asks ``audiences:preview`` for count, people, sentence and problems, and ``audiences:values`` for
real values. It needs a ``{% csrf_token %}`` in the form around it.
"""
