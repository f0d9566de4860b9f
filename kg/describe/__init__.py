"""What pages and exports show, gathered from a store as plain records, with bounded work."""
