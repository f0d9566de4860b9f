"""GDELT event tables and mentions, read in blocks of rows."""
