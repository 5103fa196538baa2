"""Evidence pictures: taken in from nodes, kept by what they hold, shown by session."""
