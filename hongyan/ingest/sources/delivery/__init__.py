"""From records of a source to the room that owns the target; one module a target. ``choose.deliverer_of`` picks it."""
