-- The job of scripts/demo: the orders of a shop, a JSON document each, in an SQLite database
-- that lives in memory. All of it follows from the numbers of the orders, so any machine gets
-- the same result, which is what standard output says.
--
-- Parameters: $ORDERS is put in by scripts/demo; the name of each phase goes to ./phase.
.bail on
.mode list
PRAGMA synchronous = off;
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
 printf('"name":"%s %s lamp","text":"A lamp of %s, with a shade of %s and a switch in its cable. '
  || 'For one bulb of at most %d W, which is not part of the delivery.",'
  || '"category":"home/light/%s","price":%d.%02d',
  a.w, b.w, a.w, b.w, a.id * 3 + 20, b.w, a.id * 7 + b.id, b.id * 3)
FROM word a, word b;
CREATE TABLE orders(id INTEGER PRIMARY KEY, body TEXT);
WITH RECURSIVE n(i, r) AS (
 SELECT 1, 12345
 UNION ALL
 SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < $ORDERS)
INSERT INTO orders
SELECT i,
 printf('{"order":%d,"customer":{"id":%d,"name":"%s %s","mail":"%s.%s%d@example.org"},"paid":false,'
  || '"items":[{"sku":"%08X","count":%d,%s},{"sku":"%08X","count":%d,%s},{"sku":"%08X","count":%d,%s}],'
  || '"ship":{"street":"%s street %d","zip":"%05d"},"session":"%08x%08x","total":%d.%02d}',
  i, r % 90007, 'anna', 'smith', 'anna', 'smith', r % 999,
  r, r % 7 + 1, p.json,
  r * 7 % 4294967296, r % 5 + 1, q.json,
  r * 31 % 4294967296, r % 3 + 1, s.json,
  'main', r % 200, r % 99999, r * 3 % 4294967296, r * 5 % 4294967296, r % 2000, r % 100)
FROM n
JOIN product p ON p.id = (r >> 8) % 1024
JOIN product q ON q.id = (r >> 14) % 1024
JOIN product s ON s.id = (r >> 20) % 1024;

-- The work of a day: recent orders are looked at and paid; now and then an older one is asked for.
.output phase
.print work
.output stdout
WITH RECURSIVE n(i, r) AS (
 SELECT 1, 4711
 UNION ALL
 SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < $ORDERS / 4)
SELECT 'looked at', sum(body ->> '$.total' > 1000)
FROM n JOIN orders ON orders.id = $ORDERS - (r >> 8) % CASE WHEN i % 64 THEN $ORDERS / 50 ELSE $ORDERS END;
UPDATE orders SET body = json_set(body, '$.paid', json('true')) WHERE id > $ORDERS - $ORDERS / 50;

-- The report at the end of the year: every order, the oldest first.
.output phase
.print report
.output stdout
WITH RECURSIVE m(month) AS (SELECT 1 UNION ALL SELECT month + 1 FROM m WHERE month < 12)
SELECT 'month', month, (
 SELECT printf('%.2f', sum(body ->> '$.total')) FROM orders
 WHERE id > (month - 1) * $ORDERS / 12 AND id <= month * $ORDERS / 12)
FROM m;

-- And every byte of them.
.output phase
.print proof
.output stdout
.once '|md5sum'
SELECT id, body FROM orders;
