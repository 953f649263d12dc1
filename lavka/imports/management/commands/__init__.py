"""Commands that read files."""
