"""A loopback Lark: sockets with protobuf frames, tokens, messages, cards, files, and a door for tests."""
