"""Pages for people: what is asked, handed to the modules that look it up and draw it."""
