"""The parts of pages: template filters, charts, citations, templates and static files."""
