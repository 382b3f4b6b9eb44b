"""The benchmarks behind `mlcourse bench`: one module each, all of which write rows with `results.save`."""
