"""Bodies of the HTTP API: one model for each request and answer. OpenAPI is made from these."""
