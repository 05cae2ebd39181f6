"""What strangers may try: every line of docs/security.md, over the whole Django stack."""
