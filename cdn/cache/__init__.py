"""What is kept, what grows while it is read, and the one fetch that everybody waits for."""
