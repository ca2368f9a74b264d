"""Access: who is asking, from which network, and what they may do."""
