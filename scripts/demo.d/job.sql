-- The job of scripts/demo: the orders of a shop, a JSON document each, in an SQLite database
-- that lives in memory (the VFS "memdb": one block of it). All of it follows from the numbers
-- of the orders, so that any machine gets the same result, which is what standard output
-- says. scripts/demo puts in the number of orders for $ORDERS. The name of each phase goes to
-- the file "phase".
.bail on
.mode list
PRAGMA temp_store = memory;

.output phase
.print load
.output stdout
CREATE TABLE word(id INTEGER PRIMARY KEY, w TEXT);
INSERT INTO word(w) VALUES
 ('amber'), ('birch'), ('canvas'), ('copper'), ('cotton'), ('ebony'), ('felt'), ('glass'),
 ('granite'), ('hemp'), ('ivory'), ('jute'), ('larch'), ('leather'), ('linen'), ('maple'),
 ('marble'), ('oak'), ('olive'), ('paper'), ('pearl'), ('pine'), ('plum'), ('rattan'),
 ('sage'), ('satin'), ('silver'), ('slate'), ('steel'), ('teak'), ('walnut'), ('wool');
CREATE TABLE product(id INTEGER PRIMARY KEY, json TEXT);
INSERT INTO product
SELECT a.id * 32 + b.id - 33,
 printf('"name":"%s %s lamp","price":%d.%02d,"category":"home/light/%s","text":"A lamp of %s from the %s '
  || 'collection, with a shade of %s. The foot is weighted and rests on %s; the cable, %d cm long, is '
  || 'wrapped in %s and has a switch at hand. It takes one bulb of at most %d W, which is not part of '
  || 'the delivery. Also to be had in %s and %s, and with %d or %d arms. Wipe with a soft cloth, never '
  || 'with %s."',
  a.w, b.w, a.id * 7 + b.id, b.id * 3, b.w, a.w, c.w, b.w, d.w, a.id * 13 % 90 + 110,
  e.w, a.id * 3 + 20, f.w, g.w, a.id % 3 + 2, b.id % 4 + 5, h.w)
FROM word a, word b
JOIN word c ON c.id = 1 + (a.id * 5 + b.id * 3) % 32
JOIN word d ON d.id = 1 + (a.id * 7 + b.id * 11) % 32
JOIN word e ON e.id = 1 + (a.id * 3 + b.id * 13) % 32
JOIN word f ON f.id = 1 + (a.id * 9 + b.id * 7) % 32
JOIN word g ON g.id = 1 + (a.id * 11 + b.id * 5) % 32
JOIN word h ON h.id = 1 + (a.id * 13 + b.id * 9) % 32;
CREATE TABLE orders(id INTEGER PRIMARY KEY, body TEXT);
WITH RECURSIVE n(i, r) AS (
 SELECT 1, 12345
 UNION ALL
 SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < $ORDERS)
INSERT INTO orders
SELECT i,
 printf('{"order":%d,"customer":{"id":%d,"mail":"anna.smith%d@example.org"},"paid":false,"items":['
  || '{"sku":"%08X","count":%d,%s},{"sku":"%08X","count":%d,%s},{"sku":"%08X","count":%d,%s}],'
  || '"ship":{"street":"main street %d","zip":"%05d"},"session":"%08x%08x","total":%d.%02d}',
  i, r % 90007, r % 999,
  r, r % 7 + 1, p.json, r * 7 % 4294967296, r % 5 + 1, q.json, r * 31 % 4294967296, r % 3 + 1, s.json,
  r % 200, r % 99999, r * 3 % 4294967296, r * 5 % 4294967296, r % 2000, r % 100)
FROM n
JOIN product p ON p.id = (r >> 8) % 1024
JOIN product q ON q.id = (r >> 14) % 1024
JOIN product s ON s.id = (r >> 20) % 1024;

-- The work of a day: orders of the last quarter are looked at, now and then an older one; the
-- most recent are paid.
.output phase
.print work
.output stdout
WITH RECURSIVE n(i, r) AS (
 SELECT 1, 4711
 UNION ALL
 SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < $ORDERS / 4)
SELECT 'large orders', sum(body ->> '$.total' > 1000)
FROM n JOIN orders ON orders.id = $ORDERS - (r >> 8) % CASE WHEN i % 32 THEN $ORDERS / 4 ELSE $ORDERS END;
UPDATE orders SET body = json_set(body, '$.paid', json('true')) WHERE id > $ORDERS - $ORDERS / 50;

-- The report at the end of the year: every byte of every order, the oldest first.
.output phase
.print report
.output stdout
.once '|md5sum'
SELECT id, body ->> '$.total', body FROM orders;
SELECT 'bytes', page_count * page_size FROM pragma_page_count, pragma_page_size;
