"""The whole client against an org, whose answers were recorded: `make record` records them anew."""
