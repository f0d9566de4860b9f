"""The commands, by purpose: serving, loading, asking, looking."""
