"""One panel a file: a view turns events into pixels, and gestures into signals."""
