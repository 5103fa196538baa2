copy messages (stream, number, sha256, received_at) from stdin (format binary)
