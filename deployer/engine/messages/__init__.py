"""What Docker prints, and the message that users get for it: a table for each program whose text it is."""
