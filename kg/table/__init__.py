"""Records of event datasets as columns: Parquet files beside the quads, asked in SQL."""
