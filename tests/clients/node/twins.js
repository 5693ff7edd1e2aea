// Two connections of one program, to the plain tables and to the encrypted ones, and a comparison of
// what they are answered.
const assert = require('node:assert');
const { test } = require('node:test');
const pg = require('pg');

const server = { host: process.env.PGHOST, port: process.env.PGPORT, database: process.env.PGDATABASE };

async function connect(user) {
    const client = new pg.Client({ ...server, user });
    await client.connect();
    return client;
}

// What a caller can see of an answer: rows and their number, or the error's code and constraint.
async function answer(action) {
    try {
        return await action();
    } catch (error) {
        const cause = error.parent ?? error;
        if (cause.code === undefined) throw error;
        return { error: error.name, code: cause.code, constraint: cause.constraint, table: cause.table };
    }
}

// Without methods, of which some parsers make new ones for each value.
const data = (value) => JSON.parse(JSON.stringify(value));

// A test that runs `action(twin)` for both twins and wants one answer; an error where its name says so.
function same(name, twins, action) {
    test(name, async () => {
        const [plain, encrypted] = [
            await answer(() => action(twins.plain)),
            await answer(() => action(twins.encrypted)),
        ];
        assert.deepStrictEqual(data(encrypted), data(plain));
        assert.strictEqual('error' in Object(plain), name.includes('violation'), plain?.error);
    });
}

module.exports = { answer, connect, same, server };
