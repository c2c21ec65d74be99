"""Benchmarks: `./run bench [NAME…] [--json] [--quick]`. Peers are measured in the same run; ratios are what counts."""
