"""What access rules give to whom: explained, compared with others, and held against what is expected."""
