"""The verbs: plain functions of an open transaction, one transaction each, the only writers. None of them waits."""
