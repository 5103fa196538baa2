"""Nothing is captive: export and import what was decided and seen; back up and restore it all."""
