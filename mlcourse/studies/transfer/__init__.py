"""From labelled source domains to a target: which arm is worth what, at k labels per class."""
