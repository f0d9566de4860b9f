"""HTTP for all doors: errors, authentication, negotiation, headers, parameters."""
