"""Reports over what was sent and what people did."""
