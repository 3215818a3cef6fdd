"""What of the streams outlives the process: how it is written down, by whom, and how it is read."""
