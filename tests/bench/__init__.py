"""The benchmark: every figure that architecture §10 promises, as a ratio against its limit. `python -m tests.bench`.

Never a test. Absolute times depend on the machine; what is judged is compared within one run, and what is compared is
measured in turns, so that a busy machine slows both.
"""
