"""Answers over a window: the one door through which every flow chart reads."""
