"""Tables like the product's task, with other people's history on them or none. Installed only while benchmarks run."""
