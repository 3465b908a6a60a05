"""How users, rules, and changes of both are printed."""
