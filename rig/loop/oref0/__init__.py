"""oref0, the open reference design of an artificial pancreas, as a controller of a loop: npm's package in Node.js.

Not responsible for what it decides: that is other people's code, called as it is.
"""
