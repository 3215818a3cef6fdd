"""The way to the origins: which of them is asked, over which connection, and who comes next."""
