"""What operators see of the process: its log and its metrics."""
