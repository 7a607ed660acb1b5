"""Recording: live capture and offline walks, written by a thread of their own, with a sidecar that re-makes them."""
