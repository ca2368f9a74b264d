"""How the product itself is doing: what every answer is measured by, and where those numbers go."""
