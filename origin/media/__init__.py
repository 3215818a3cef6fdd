"""The words that all of the origin shares: time, samples, tracks and codec configurations.

Nothing here does anything to the outside; a value is frozen once it is made.
"""
