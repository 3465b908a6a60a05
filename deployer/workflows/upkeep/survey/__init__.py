"""What is in the storage: what reaches what, what is damaged, what nothing needs. Changes nothing."""
