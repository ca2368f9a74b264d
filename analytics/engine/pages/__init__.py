"""Admin pages, what those of all wings share: window forms, charts with their proof."""
