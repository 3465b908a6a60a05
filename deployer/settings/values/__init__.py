"""Values of settings: what each may be, and the kinds of values that have rules of their own."""
