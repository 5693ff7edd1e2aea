-- PARTITION BY an encrypted column
SELECT id, row_number() OVER (PARTITION BY city ORDER BY id), count(*) OVER (PARTITION BY city) FROM people;

-- ORDER BY an encrypted column
SELECT id, rank() OVER (ORDER BY born), dense_rank() OVER (ORDER BY born DESC NULLS LAST) FROM people;
SELECT id, row_number() OVER (ORDER BY name, id), ntile(4) OVER (ORDER BY email) FROM people;
SELECT id, percent_rank() OVER (PARTITION BY dept ORDER BY points), cume_dist() OVER (ORDER BY salary) FROM people;

-- values of other rows
SELECT id, lag(email) OVER (ORDER BY id), lead(city, 2, 'none') OVER (ORDER BY id) FROM people;
SELECT id, first_value(name) OVER (PARTITION BY city ORDER BY born, id), last_value(email) OVER w, nth_value(points, 2) OVER w
FROM people WINDOW w AS (PARTITION BY city ORDER BY email ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);

-- aggregates over a window
SELECT id, sum(points) OVER (PARTITION BY city ORDER BY id), avg(visits) OVER (ORDER BY id ROWS 3 PRECEDING) FROM people;
SELECT id, max(email) OVER (PARTITION BY dept), min(born) OVER (ORDER BY born), array_agg(city) OVER (ORDER BY id ROWS 2 PRECEDING) FROM people;
SELECT id, count(*) FILTER (WHERE city = 'Paris') OVER (ORDER BY id) FROM people;

-- frames by GROUPS and EXCLUDE
SELECT id, sum(id) OVER (ORDER BY points GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM people;
SELECT id, count(*) OVER (ORDER BY born RANGE UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) FROM people;

-- a frame by RANGE with an offset
-- error: 0A000 a window frame `RANGE ... PRECEDING` over an encrypted column
SELECT id, count(*) OVER (ORDER BY points RANGE BETWEEN 3 PRECEDING AND CURRENT ROW) FROM people;

-- a frame by RANGE with an offset, cast
SELECT id, count(*) OVER (ORDER BY points::int8 RANGE BETWEEN 3 PRECEDING AND CURRENT ROW) FROM people;
SELECT id, count(*) OVER (ORDER BY born::date RANGE BETWEEN '1 year' PRECEDING AND '1 month' FOLLOWING) FROM people;

-- PARTITION BY a randomised column
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) FROM people;

-- PARTITION BY a randomised column, cast
SELECT id, row_number() OVER (PARTITION BY name::text ORDER BY id) FROM people;

-- one column both partitions and orders
SELECT id, rank() OVER (PARTITION BY city ORDER BY city), count(*) OVER (ORDER BY city) FROM people;

-- several windows, one inheriting another
SELECT id, sum(visits) OVER w, row_number() OVER (w ORDER BY email, id), rank() OVER (ORDER BY joined, born)
FROM people WINDOW w AS (PARTITION BY city);

-- a window over groups
SELECT city, count(*), rank() OVER (ORDER BY count(*) DESC, city), sum(count(*)) OVER (ORDER BY city) FROM people GROUP BY city;

-- a window by an expression
SELECT id, count(*) OVER (PARTITION BY lower(city), points > 9 ORDER BY length(name), id) FROM people;

-- the best of each group
SELECT city, email FROM (SELECT city, email, row_number() OVER (PARTITION BY city ORDER BY points DESC NULLS LAST, email) AS n FROM people) s WHERE n = 1;

-- a window with ORDER BY and DISTINCT
-- ordered
SELECT DISTINCT city, count(*) OVER (PARTITION BY city) FROM people ORDER BY city;
