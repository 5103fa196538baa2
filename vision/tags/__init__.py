"""Price tags on the shelf edge: found, read, parsed, linked to the facings above them."""
