"""Where shops send their messages: checked, kept, acknowledged; digested elsewhere."""
