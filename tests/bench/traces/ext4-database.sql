-- The tables of the trace "ext4-database".
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER, filler TEXT);
CREATE TABLE teller(id INTEGER PRIMARY KEY, balance INTEGER);
CREATE TABLE history(id INTEGER PRIMARY KEY, account INTEGER, delta INTEGER);
CREATE INDEX by_account ON history(account);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @ACCOUNTS@)
INSERT INTO account SELECT i, 0, printf('%-84d', i * 2654435761 % 4294967296) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO teller SELECT i, 0 FROM n;
