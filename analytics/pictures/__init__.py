"""SVG pictures of charts: exact geometry, no database."""
