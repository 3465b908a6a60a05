"""How the deployment is, and what is wrong: status, logs and doctor."""
