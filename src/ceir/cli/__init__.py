"""The command line, one module a command: translates and shows, never decides; alone reads the settings."""
