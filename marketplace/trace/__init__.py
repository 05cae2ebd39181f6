"""What each image request did, live: an event log that the emulator and the app write, and a page."""
