"""Flow readings: the one door through which every flow chart is answered over a window."""
