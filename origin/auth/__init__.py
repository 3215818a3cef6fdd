"""Who may publish, and under which name: decisions only, no files and no sockets."""
