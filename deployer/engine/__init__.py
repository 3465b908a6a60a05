"""The Docker engine, through the Docker client and Compose: questions, answers, and errors in sentences."""
