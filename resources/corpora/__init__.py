"""The texts that come with the program, and what makes them."""
