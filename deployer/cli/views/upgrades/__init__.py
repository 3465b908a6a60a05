"""How `upgrade` is reported."""
