# A root key that a hardware security module protects, through rampart.root_key_command: SoftHSM holds an RSA key
# that never leaves it, and decrypts the file that the root key lies in.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my ($module) = glob('/usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm2.so');
my @missing = grep { system("command -v $_ > /dev/null") != 0 } qw(softhsm2-util pkcs11-tool openssl);
push @missing, 'libsofthsm2.so' unless defined $module && -e $module;
plan skip_all => "not installed: @missing" if @missing;

my $node = Rampart->make('main', preload => 0);
my $dir  = $node->basedir;
my $key  = $node->root_key;
my $pin  = '48151623';

# --- The token: its key pair is made inside, and cannot be extracted ---

mkdir "$dir/tokens";
append_to_file("$dir/softhsm2.conf", "directories.tokendir = $dir/tokens\nobjectstore.backend = file\nlog.level = ERROR\n");
append_to_file("$dir/pin", $pin);
chmod 0600, "$dir/pin";
$ENV{SOFTHSM2_CONF} = "$dir/softhsm2.conf";
$ENV{RAMPART_PIN}   = $pin;
my @tool = ('pkcs11-tool', '--module', $module, '--token-label', 'rampart', '--login', '--pin', 'env:RAMPART_PIN');
command_ok([ 'softhsm2-util', '--init-token', '--free', '--label', 'rampart', '--so-pin', '98765432', '--pin', $pin ], 'a token');
command_ok([ @tool, '--keypairgen', '--key-type', 'rsa:2048', '--id', '01', '--label', 'root key', '--usage-decrypt' ],
	'a key pair in it');
command_ok([ @tool, '--read-object', '--type', 'pubkey', '--id', '01', '--output-file', "$dir/public.der" ], 'its public key');
command_ok([ 'openssl', 'pkeyutl', '-encrypt', '-pubin', '-keyform', 'DER', '-inkey', "$dir/public.der", '-in',
	$node->root_key_file, '-out', "$dir/root.key.enc", '-pkeyopt', 'rsa_padding_mode:oaep' ], 'the root key, encrypted');
unlink $node->root_key_file;
delete $ENV{RAMPART_PIN};

# --- The command: the PIN from a file, by the environment, as command lines are there for everybody to see ---

append_to_file("$dir/unwrap", <<"PROGRAM");
#!/bin/sh
export SOFTHSM2_CONF=$dir/softhsm2.conf RAMPART_PIN
read -r RAMPART_PIN < $dir/pin || [ -n "\$RAMPART_PIN" ] || exit 1
exec pkcs11-tool --module $module --token-label rampart --login --pin env:RAMPART_PIN \\
    --decrypt --mechanism RSA-PKCS-OAEP --hash-algorithm SHA-1 --id 01 --input-file $dir/root.key.enc
PROGRAM
chmod 0700, "$dir/unwrap";
delete $ENV{SOFTHSM2_CONF};
$node->append_conf('postgresql.conf', "rampart.root_key_file = ''\nrampart.root_key_command = '$dir/unwrap'");
$node->restart;
$node->set_up;
$node->rows('CREATE TABLE t (v enc_text(pii, deterministic)); GRANT ALL ON t TO app');
$node->rows(q{INSERT INTO t VALUES ('kept by a module')}, user => 'app');
my $read = q{SELECT v FROM t WHERE v = 'kept by a module'};
is($node->rows($read, user => 'app'), 'kept by a module', 'not preloaded: each session asks the module');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'rampart'");
$node->restart;
is($node->rows($read, user => 'app'), 'kept by a module', 'preloaded: the postmaster asks it');
like($node->rows(q{SELECT detail FROM rampart.status() WHERE item = 'root key'}), qr/from rampart\.root_key_command/, 'status()');

# --- Without the module ---

sub refused
{
	my ($name, $why) = @_;
	$node->restart;
	my $message = $node->fails_with($read, 'RMK05', "$name: no root key", user => 'app');
	like($message, qr/DETAIL:  rampart\.root_key_command $why/, "$name: says why");
}
append_to_file("$dir/wrong", "00000000\n");
rename "$dir/pin", "$dir/right";
rename "$dir/wrong", "$dir/pin";
refused('a wrong PIN', 'failed with status');
rename "$dir/right", "$dir/pin";
rename "$dir/tokens", "$dir/away";
refused('the module unplugged', 'failed with status');
rename "$dir/away", "$dir/tokens";
is($node->rows($read, user => 'app'), 'kept by a module', 'plugged in again: goes on, without a restart');

# --- Moving a database to the module ---

my $plain = Rampart->make('plain')->set_up;
$plain->append_conf('postgresql.conf', "rampart.new_root_key_command = '$dir/unwrap'");
$plain->reload;
$plain->poll_query_until('postgres', q{SELECT current_setting('rampart.new_root_key_command') <> ''});
is($plain->rows('SELECT rampart.rewrap_root_key()'), '2', 'a database whose root key was in a file moves to the module');
unlink $plain->root_key_file;
$plain->append_conf('postgresql.conf', "rampart.root_key_file = ''\nrampart.root_key_command = '$dir/unwrap'\nrampart.new_root_key_command = ''");
$plain->restart;
is($plain->rows(q{SELECT rampart.decrypt(rampart.encrypt('pii', 'x'))}, user => 'app'), 'x', 'and does without the file');

unlike(slurp_file($_->logfile), qr/\Q$key\E|$pin/, 'neither key nor PIN in the log') for $node, $plain;
done_testing();
