"""Ranges of what two tests may not share (MAC and IP addresses, ports, devices, anything) and their disjoint shares."""
