"""An evaluation of the pocket model through the real daemon: what comes back over its WebSocket, and judges of it."""
