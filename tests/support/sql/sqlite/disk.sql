-- A full disk, exactly when a test wants it. It never goes below what the file has already.

-- name: fill()
PRAGMA max_page_count = 1;

-- name: make_room()
PRAGMA max_page_count = 1000000;
