"""Which features pycytominer's selection drops: the rules of its operations, one file each.

A rule gives a mask (d,) of the features that are dropped. Rows of `columns` are features. A rule is
fast where rounding cannot decide, and raises `Undecided` elsewhere: then its caller computes as the
original does.
"""
