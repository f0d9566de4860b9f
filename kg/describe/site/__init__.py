"""What concerns the whole graph: counts, coverage, vocabulary, sitemap and reconciliation."""
