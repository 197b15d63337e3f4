"""Clients of outside chats: one process per platform holds its bots' sockets, hands in what people say, sends posts."""
