"""The net under the queues."""
