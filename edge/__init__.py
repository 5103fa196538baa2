"""The node in the shop: outbox, MQTT link, supervised workers, HTTP API for phones."""
