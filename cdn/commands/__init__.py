"""What ``tidecast edge`` can do beside serving: check, plan, purge, and show its settings."""
