"""Space: garbage collection, retention, and what is damaged in the storage."""
