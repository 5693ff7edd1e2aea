-- Values that a text format could mangle: for table original of t/050_copy.pl.
INSERT INTO original VALUES
    (1, 'plain', '\x00ff', '{"a": [1, null, "x"]}', 12.50, 42, '1815-12-10', '2024-02-29 12:34:56.789+02',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, 'found'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, '', '', '""', 0, 0, '2000-01-01', '2000-01-01 00:00+00', '00000000-0000-0000-0000-000000000000', false, ''),
    (4, E'tab\t new\n line \r \\ back\\slash \\N \\.', '\x5c5c4e', '{"q": "\"quoted\", and \\ too"}', -0.000001,
     -9223372036854775808, '-infinity', 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', true, E'\t\n'),
    (5, 'comma, "quotes", ''single''', '\x2c22', '[]', 'NaN', 9223372036854775807, 'infinity', '-infinity',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', false, 'comma, "quote"'),
    (6, 'ΑΒΓ 漢字 😀 é', '\xe6bca2', '{"漢字": "😀"}', 1e100, 1, '4713-01-01 BC', '4713-01-01 BC', NULL, NULL, '漢字'),
    (7, '\N', NULL, 'null', 'Infinity', NULL, NULL, NULL, NULL, NULL, '\.'),
    (8, repeat('0123456789abcdef', 65536), decode(repeat('00ff', 500000), 'hex'),
     jsonb_build_object('k', repeat('v', 300000)), 10 ^ 500::numeric, NULL, NULL, NULL, NULL, NULL, repeat('x', 5000)),
    (9, 'rmp2:not armour', NULL, '{"t": "rmp1:inside"}', NULL, NULL, NULL, NULL, NULL, NULL, 'xrmp1:abc');
