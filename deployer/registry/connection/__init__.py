"""HTTP to one registry: TLS, proxies, and every failure in a sentence."""
