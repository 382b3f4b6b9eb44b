"""The lessons as files: compared, and run with their solutions, by the tests."""
