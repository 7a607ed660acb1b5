"""Knobs, faders, pads and keys that move the window's controls: OSC, MIDI, gamepads, the keyboard. No GUI, no torch.

Sources put events (an address and a number) into an inbox; bindings say which control an address moves, and how.
Nothing that comes from outside is evaluated: addresses are compared, numbers are mapped.
"""
