"""The processes of a server: the one that holds the data folder, and the fronts."""
