"""A second process that serves MLLP connections and reads their messages, while the first one decides on others.

`front.py` starts it and hands it connections, `link.py` is the first process's end of the link; `child.py` and
`forward.py` are the second one; `wire.py` is what they say to each other.
"""
