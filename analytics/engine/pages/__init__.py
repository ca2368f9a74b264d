"""What the admin pages of all wings share: window forms, charts with their proof."""
