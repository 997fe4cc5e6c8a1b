"""Templates, snippets, rendering and the checks a mail passes before it goes out."""
