"""What workers' pods are made of, by itself and as a real cluster takes it."""
