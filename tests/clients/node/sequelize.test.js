// Sequelize, an ORM: its models are those of the plain tables and know nothing of encryption.
const assert = require('node:assert');
const { after, before, test } = require('node:test');
const { DataTypes, Op, Sequelize, UniqueConstraintError, ForeignKeyConstraintError } = require('sequelize');
const { same, server } = require('./twins');

function application(user) {
    const sequelize = new Sequelize(server.database, user, '', { ...server, dialect: 'postgres', logging: false });
    const Customer = sequelize.define(
        'customer',
        {
            email: { type: DataTypes.TEXT, allowNull: false, unique: true },
            name: DataTypes.TEXT,
            born: DataTypes.DATEONLY,
            seen: DataTypes.DATE,
            balance: DataTypes.DECIMAL,
            visits: DataTypes.BIGINT,
            token: DataTypes.UUID,
            active: DataTypes.BOOLEAN,
            notes: DataTypes.JSONB,
            photo: DataTypes.BLOB,
        },
        { tableName: 'customer', timestamps: false },
    );
    const Invoice = sequelize.define(
        'invoice',
        { email: DataTypes.TEXT, total: DataTypes.DECIMAL },
        { tableName: 'invoice', timestamps: false },
    );
    Customer.hasMany(Invoice, { foreignKey: 'email', sourceKey: 'email' });
    Invoice.belongsTo(Customer, { foreignKey: 'email', targetKey: 'email' });
    return { sequelize, Customer, Invoice };
}

const twins = { plain: application('app_plain'), encrypted: application('app_encrypted') };
before(async () => {
    for (const { sequelize, Customer } of Object.values(twins)) {
        await Customer.destroy({ where: {} });
        await sequelize.query("SELECT setval('customer_id_seq', 1), setval('invoice_id_seq', 1)");
    }
});
after(() => Promise.all(Object.values(twins).map(({ sequelize }) => sequelize.close())));

const value = (instance) => (Array.isArray(instance) ? instance.map(value) : (instance?.toJSON?.() ?? instance));
const model = (name, action) => same(name, twins, async (app) => value(await action(app)));

const ada = {
    email: 'ada@example.com',
    name: "Ada O'Lovelace",
    born: '1815-12-10',
    seen: new Date('2024-02-29T12:34:56.789Z'),
    balance: '12.50',
    visits: 36,
    token: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    active: false,
    notes: { likes: ['engines'] },
    photo: Buffer.from('00ff', 'hex'),
};
const people = Array.from({ length: 20 }, (_, i) => ({
    email: `user${i}@example.com`,
    name: `User ${i % 5}`,
    born: `19${10 + i}-01-02`,
    visits: i,
    active: i % 2 === 0,
    notes: { i },
}));

model('create', ({ Customer }) => Customer.create(ada));
model('bulkCreate', ({ Customer }) => Customer.bulkCreate(people));
model('find by field', ({ Customer }) => Customer.findOne({ where: { email: ada.email } }));
model('find by primary key', ({ Customer }) => Customer.findByPk(2));
model('find by several fields', ({ Customer }) =>
    Customer.findAll({ where: { name: 'User 3', active: true }, order: ['id'] }),
);
model('find in a list', ({ Customer }) =>
    Customer.findAll({
        where: { email: { [Op.in]: ['user1@example.com', 'user2@example.com', 'x'] } },
        order: ['email'],
    }),
);
model('find not in a list', ({ Customer }) =>
    Customer.count({ where: { email: { [Op.notIn]: ['user1@example.com', ada.email] } } }),
);
model('find by alternatives', ({ Customer }) =>
    Customer.findAll({ where: { [Op.or]: [{ visits: 3 }, { visits: { [Op.gt]: 17 } }] }, order: ['visits'] }),
);
model('find by pattern', ({ Customer }) => Customer.findAll({ where: { name: { [Op.iLike]: 'ada%' } } }));
model('find by range of dates', ({ Customer }) =>
    Customer.findAll({ where: { born: { [Op.between]: ['1912-01-01', '1915-12-31'] } }, order: ['born'] }),
);
model('find by null', ({ Customer }) => Customer.count({ where: { token: null } }));
model('find by json', ({ Customer }) => Customer.findAll({ where: { 'notes.i': 7 } }));
model('order and page', ({ Customer }) =>
    Customer.findAll({
        order: [
            ['name', 'DESC'],
            ['visits', 'ASC'],
        ],
        limit: 5,
        offset: 3,
        attributes: ['name', 'visits'],
    }),
);
model('findAndCountAll', ({ Customer }) =>
    Customer.findAndCountAll({ where: { name: 'User 1' }, order: ['id'], limit: 2 }),
);
model('count, distinct', ({ Customer }) => Customer.count({ distinct: true, col: 'name' }));
model('group', ({ Customer, sequelize }) =>
    Customer.findAll({
        attributes: ['name', [sequelize.fn('count', '*'), 'number']],
        group: 'name',
        order: ['name'],
    }),
);
model('max, min, sum', async ({ Customer }) => [
    await Customer.max('visits'),
    await Customer.min('born'),
    await Customer.sum('visits'),
]);
model('update an instance', async ({ Customer }) => {
    const found = await Customer.findOne({ where: { email: ada.email } });
    found.name = 'Countess';
    found.notes = { likes: ['numbers'] };
    await found.save();
    return found.reload();
});
model('update many', ({ Customer }) => Customer.update({ active: true }, { where: { name: 'User 2' } }));
model('increment', async ({ Customer }) => {
    const found = await Customer.findOne({ where: { email: 'user4@example.com' } });
    await found.increment('visits', { by: 5 });
    return found.reload();
});
model('findOrCreate, found', ({ Customer }) => Customer.findOrCreate({ where: { email: ada.email } }));
model('findOrCreate, created', ({ Customer }) =>
    Customer.findOrCreate({ where: { email: 'new@example.com' }, defaults: { name: 'New' } }),
);
model('upsert', ({ Customer }) =>
    Customer.upsert({ email: 'new@example.com', name: 'Newer' }, { conflictFields: ['email'] }),
);
model('associations', async ({ Customer, Invoice }) => {
    const found = await Customer.findOne({ where: { email: ada.email } });
    await found.createInvoice({ total: '10.00' });
    await Invoice.create({ email: 'user1@example.com', total: 20 });
    return Customer.findAll({ include: { model: Invoice, required: true }, order: ['email'] });
});
model('transaction, committed', async ({ Customer, sequelize }) => {
    await sequelize.transaction((transaction) => Customer.create({ email: 'in@example.com' }, { transaction }));
    return Customer.findOne({ where: { email: 'in@example.com' } });
});
model('transaction, rolled back', async ({ Customer, sequelize }) => {
    await assert.rejects(
        sequelize.transaction(async (transaction) => {
            await Customer.destroy({ where: { email: 'in@example.com' }, transaction });
            throw new Error('no');
        }),
        /no/,
    );
    return Customer.findOne({ where: { email: 'in@example.com' } });
});
model('unique violation', ({ Customer }) => Customer.create({ email: ada.email }));
model('foreign key violation', ({ Invoice }) => Invoice.create({ email: 'nobody@example.com', total: 1 }));
model('destroy', ({ Customer }) => Customer.destroy({ where: { name: { [Op.in]: ['User 1', 'User 2'] } } }));
model('what is left', ({ Customer }) => Customer.findAll({ order: ['id'] }));

test("errors are the ORM's own, with the field", async () => {
    const { Customer, Invoice } = twins.encrypted;
    await assert.rejects(
        Customer.create({ email: ada.email }),
        (error) => error instanceof UniqueConstraintError && 'email' in error.fields,
    );
    await assert.rejects(Invoice.create({ email: 'nobody', total: 1 }), ForeignKeyConstraintError);
});

test('a model can declare its columns encrypted', async () => {
    const { sequelize } = twins.encrypted;
    const Secret = sequelize.define(
        'secret',
        {
            code: { type: 'enc_text(pii, deterministic)', unique: true },
            day: 'enc_date(pii)',
        },
        { timestamps: false },
    );
    await Secret.sync();
    await Secret.bulkCreate([
        { code: 'one', day: '2000-01-01' },
        { code: 'two', day: '1999-01-01' },
    ]);
    assert.deepStrictEqual(value(await Secret.findOne({ where: { code: 'two' } })), {
        id: 2,
        code: 'two',
        day: '1999-01-01',
    });
    await assert.rejects(Secret.create({ code: 'one' }), UniqueConstraintError);
    await Secret.drop();
});
