-- Repositories that runs of a computer work in, as its daemon told last: JSON, newest first.

ALTER TABLE computers ADD COLUMN checkouts TEXT NOT NULL DEFAULT '[]';
