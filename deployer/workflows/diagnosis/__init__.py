"""How the deployment is, and what is wrong: status and doctor."""
