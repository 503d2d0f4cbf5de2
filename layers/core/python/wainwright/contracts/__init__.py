"""Forms of all that crosses a wire: HTTP bodies, queue messages, workflow payloads, events, and shared names."""
