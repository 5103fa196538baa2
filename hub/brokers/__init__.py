"""MQTT brokers: mosquitto or the embedded one, with who may say and hear what. Reads no message."""
