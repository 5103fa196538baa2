"""Why a code worsened: likely causes, their effects, and what was not checked. Judges no shop."""
