"""Phones that pair with a shop's node: let in and shut out. They speak to the node, not to this."""
