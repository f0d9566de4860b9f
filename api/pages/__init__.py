"""What pages are made of: template filters, charts, citations, templates and static files."""
