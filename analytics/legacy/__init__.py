"""The first version of the endpoints, as it was: daily counts of the live board, with their old shape and their old flaws."""
