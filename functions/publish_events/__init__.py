"""Changes of status to the event bus."""
