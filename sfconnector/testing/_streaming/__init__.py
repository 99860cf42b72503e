"""The event bus of the local org: change events, platform events and their way to subscribers."""
