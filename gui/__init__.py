"""The desktop application: a window around the framework, which trains in a thread of its own."""
