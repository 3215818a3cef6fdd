"""CPU time and memory of process trees: what ``tidecast bench ingest --pid`` uses, too."""

from origin.bench.cpu import Sample, sample, tree

__all__ = ["Sample", "sample", "tree"]
