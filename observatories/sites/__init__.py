"""Where the telescopes stand: places on the rotating Earth, their nights, and the Sun and Moon as they see
them.

Pure numerics: arrays in, arrays out; no Django, no network, no ephemeris of its own (Sun and Moon come in as
vectors).
"""
