"""Both bulk APIs of the local org: jobs, their states, and what runs them."""
