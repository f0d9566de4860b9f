"""What the page of a thing shows: its facts, claims, links, places and times."""
