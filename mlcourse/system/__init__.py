"""What the course needs of the machine: threads and memory, files, paths, provenance."""
