"""What Docker prints, and what a user is told for it: a table for each program whose text it is."""
