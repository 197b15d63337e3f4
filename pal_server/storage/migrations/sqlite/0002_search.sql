-- Words of messages. The room is an indexed column of its own: joining messages to find a quiet room took 40 times as long.
-- The words come split by `storage/search.py`, so the tokenizer only finds the spaces again.
CREATE VIRTUAL TABLE message_index USING fts5 (body, room, tokenize = 'unicode61 remove_diacritics 0');
