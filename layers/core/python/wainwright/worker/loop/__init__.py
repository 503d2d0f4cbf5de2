"""The worker's loop: takes work from the queue, one claim after another."""
