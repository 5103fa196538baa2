"""What should be on a shelf, and what differs: planograms, findings, scores, checklists."""
