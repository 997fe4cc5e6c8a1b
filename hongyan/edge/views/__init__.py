"""Pages without sign-in. The token in the address is the right to act; GET changes nothing."""
