"""``tidecast bench``: load for anybody's server, and an honest account of what came of it."""
