"""The models that come with storepulse lie here, each with its card."""
