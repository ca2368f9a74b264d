"""Legacy endpoints, as they were: daily counts of the live board, with their old shape and their old flaws."""
