"""What a hostile visitor does to the app, one kind of attack per file; only ever against this machine."""
