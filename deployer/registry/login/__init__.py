"""Logins, found where Docker keeps them."""
