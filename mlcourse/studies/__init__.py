"""What several lessons measure: the protocol of a study, and the studies that belong to no lesson."""
