"""What is loaded into the test process. This folder, and nothing else of Wainwright, is on its import path."""
