// node-postgres: parameters, prepared statements, text and binary results, errors, transactions.
const assert = require('node:assert');
const { after, before, test } = require('node:test');
const pg = require('pg');
const { answer, connect, same, server } = require('./twins');

const twins = {};
before(async () => {
    twins.plain = await connect('app_plain');
    twins.encrypted = await connect('app_encrypted');
});
after(() => Promise.all(Object.values(twins).map((client) => client.end())));

const insert = `INSERT INTO customer (email, name, born, seen, balance, visits, token, active, notes, photo)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`;
const ada = [
    'ada@example.com',
    'Ada',
    '1815-12-10',
    new Date('2024-02-29T12:34:56.789Z'),
    '12.50',
    36,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    false,
    { likes: ['engines', null, 1.5] },
    Buffer.from('00ff10', 'hex'),
];
const grace = [
    'grace@example.com',
    'Grace',
    new Date('1906-12-09T00:00:00Z'),
    null,
    '1000000000000.01',
    '9007199254740993',
    null,
    true,
    [],
    Buffer.alloc(100000, 'x'),
];
const alan = ['alan@example.com', 'Ålan 🙂', null, null, 'NaN', -1, null, null, null, null];

const rows =
    (text, values, more = {}) =>
    async (client) => {
        const { rows, rowCount } = await client.query({ text, values, ...more });
        return { rows, rowCount };
    };

same('types of a result', twins, async (client) => {
    const { fields } = await client.query('SELECT * FROM customer');
    return fields.map(({ name, dataTypeID }) => [name, dataTypeID]);
});
for (const values of [ada, grace, alan]) same(`insert ${values[1]}`, twins, rows(insert, values));

const find = {
    'by equality': ['SELECT * FROM customer WHERE email = $1', ['ada@example.com']],
    'by inequality': ['SELECT name FROM customer WHERE email <> $1 ORDER BY name', ['ada@example.com']],
    'by cast parameter': [
        'SELECT id FROM customer WHERE email = $1::text AND visits = $2::bigint',
        ['ada@example.com', 36],
    ],
    'by list': [
        'SELECT name FROM customer WHERE email IN ($1, $2) ORDER BY name',
        ['ada@example.com', 'alan@example.com'],
    ],
    'by array': [
        'SELECT name FROM customer WHERE email = ANY ($1) ORDER BY name DESC',
        [['ada@example.com', 'grace@example.com']],
    ],
    'by text array': ['SELECT count(*) FROM customer WHERE email = ANY ($1::text[])', [['ada@example.com', 'x']]],
    'by pattern': ['SELECT name FROM customer WHERE email LIKE $1 ORDER BY email', ['%a%@example.com']],
    'by number and uuid': ['SELECT name FROM customer WHERE visits = $1 OR token = $2 ORDER BY 1', [-1, ada[6]]],
    'by range': ['SELECT name FROM customer WHERE born < $1 AND balance > $2', [new Date('1900-01-01'), 1]],
    'by json': ["SELECT name FROM customer WHERE notes->'likes' ? $1", ['engines']],
    'by bool': ['SELECT name FROM customer WHERE active = $1', [true]],
    nothing: ['SELECT * FROM customer WHERE email = $1', [null]],
    expressions: [
        'SELECT upper(name) AS u, born + 1 AS b, balance * 2 AS m, visits % 7 AS v, NOT active AS n FROM customer ORDER BY name',
        [],
    ],
    aggregates: [
        'SELECT count(email), count(DISTINCT name), min(born), max(seen), sum(balance), avg(visits) FROM customer',
        [],
    ],
    'order and page': ['SELECT id, name FROM customer ORDER BY visits DESC, name LIMIT $1 OFFSET $2', [2, 1]],
};
for (const [name, [text, values]] of Object.entries(find)) {
    same(`find ${name}`, twins, rows(text, values));
    same(`find ${name}, binary results`, twins, rows(text, values, { binary: true }));
    // Often enough that the server may settle for a generic plan.
    same(`find ${name}, prepared`, twins, async (client) => {
        const answers = [];
        for (let i = 0; i < 8; ++i) answers.push(await rows(text, values, { name: `find ${name}` })(client));
        return answers;
    });
}

same('simple protocol', twins, rows("SELECT * FROM customer WHERE email = 'grace@example.com'"));
same(
    'update and return',
    twins,
    rows('UPDATE customer SET visits = visits + $1, notes = $2 WHERE email = $3 RETURNING *', [
        1,
        { a: 1 },
        ada[0],
    ]),
);
same('unique violation', twins, rows(insert, ada));
same('not null violation', twins, rows('INSERT INTO customer (name) VALUES ($1)', ['x']));
same(
    'upsert',
    twins,
    rows(
        'INSERT INTO customer (email, name) VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING email, name',
        [ada[0], 'Countess'],
    ),
);
same(
    'foreign key',
    twins,
    rows('INSERT INTO invoice (email, total) VALUES ($1, $2) RETURNING *', [ada[0], '9.99']),
);
same(
    'foreign key violation',
    twins,
    rows('INSERT INTO invoice (email, total) VALUES ($1, $2)', ['nobody', '9.99']),
);
same('check violation', twins, rows('INSERT INTO invoice (email, total) VALUES ($1, $2)', [ada[0], '-1']));
same('join', twins, rows('SELECT name, total FROM customer JOIN invoice USING (email) WHERE total > $1', [9]));
same('rollback', twins, async (client) => {
    await client.query('BEGIN');
    await client.query('DELETE FROM customer WHERE email = $1', [ada[0]]);
    await client.query('ROLLBACK');
    return rows('SELECT count(*) FROM customer')(client);
});
same('delete, with cascade', twins, rows('DELETE FROM customer WHERE email = $1 RETURNING name', [ada[0]]));
same('what is left', twins, rows('SELECT name, (SELECT count(*) FROM invoice) FROM customer ORDER BY name'));

test('a pool of connections', async () => {
    const pool = new pg.Pool({ ...server, user: 'app_encrypted', max: 5 });
    const found = await Promise.all(
        Array.from({ length: 50 }, () =>
            pool.query('SELECT name FROM customer WHERE email = $1', ['grace@example.com']),
        ),
    );
    await pool.end();
    assert.ok(found.every(({ rows }) => rows.length === 1 && rows[0].name === 'Grace'));
});

test('a role without the right reads ciphertext and can compute nothing', async () => {
    const client = await connect('app_blind');
    const {
        rows: [row],
    } = await client.query('SELECT email, name FROM customer WHERE id = (SELECT min(id) FROM customer)');
    assert.match(row.email, /^rmp1:/);
    assert.match(row.name, /^rmp1:/);
    for (const text of [
        'SELECT upper(name) FROM customer',
        "SELECT * FROM customer WHERE email = 'grace@example.com'",
    ]) {
        assert.strictEqual((await answer(() => client.query(text))).code, '42501');
    }
    await client.end();
});
