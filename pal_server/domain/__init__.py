"""The rules: frozen values and pure functions. No I/O, no clock, no chance; `now` is an argument."""
