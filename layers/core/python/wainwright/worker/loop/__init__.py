"""The worker's loop: takes work from the queue, holds the lease, shuts down."""
