"""Studies: runs that build on each other, answered by one table."""
