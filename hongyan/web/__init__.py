"""Staff pages. A view parses, checks permission, calls one service or selector, renders."""
