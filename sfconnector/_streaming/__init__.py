"""Events of the org: what they are, how they arrive, and how far a consumer has come with them."""
