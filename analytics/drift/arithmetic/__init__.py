"""What a comparison of two answers says, and what many comparisons prove."""
