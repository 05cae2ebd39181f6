"""Work on many images at once: measure, warm, purge, report. Each is a function, and a command around it."""
