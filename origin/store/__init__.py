"""What outlives the process: files under the data directory, and nowhere else."""
