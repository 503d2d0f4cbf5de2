"""What crosses a wire: HTTP bodies, queue messages, workflow payloads, events, and the names of things."""
