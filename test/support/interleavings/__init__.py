"""A deterministic scheduler, and the cases in which it runs the real `TokenRefresher` and real stores."""
