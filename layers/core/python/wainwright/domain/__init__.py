"""Values and rules of jobs, without input or output."""
