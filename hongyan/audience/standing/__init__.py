"""Where people stand: lifecycle stages and RFM tiers by versioned rules, kept current, every move an event.

versions: rules in force and what was last computed; stages, stage_rules; rfm, rfm_rules; lane: the worker's part;
fields: both as conditions of segments; selectors: what pages show.
"""
