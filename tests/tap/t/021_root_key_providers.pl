# Where the root key comes from: files, in every way in which they do not work, and which provider is asked.
# Commands that fail: 022_root_key_command.pl.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

# Not preloaded, so that each new session asks the provider.
my $node = Rampart->make('main', preload => 0)->set_up;
my $key  = $node->root_key;
my $file = $node->root_key_file;
my $dir  = $node->basedir;

sub provider
{
	my (%settings) = @_;
	my @values = map { $settings{$_} // '' } qw(file command);
	$node->append_conf('postgresql.conf',
		"rampart.root_key_file = '$values[0]'\nrampart.root_key_command = '$values[1]'");
	$node->reload;
	$node->poll_query_until('postgres',
		q{SELECT current_setting('rampart.root_key_file') || '|' || current_setting('rampart.root_key_command')},
		join '|', @values)
	  or die 'settings were not reloaded';
}

my $encrypt = q{SELECT rampart.decrypt(rampart.encrypt('pii', 'works'))};
sub works
{
	my ($name) = @_;
	$node->rows_are($encrypt, 'works', "$name: works", user => 'app');
}

sub refused
{
	my ($name, $detail) = @_;
	my ($state, $message) = $node->complaint($encrypt, user => 'app');
	is($state, 'RMK05', "$name: refused");
	like($message, qr/^DETAIL:  .*$detail/m, "$name: says why");
	like($message, qr/^HINT:  .*rampart\.root_key_file/m, "$name: says what to do");
	unlike($message, qr{\Q$key\E|[0-9a-f]{17}|secretsecret}i, "$name: shows nothing of the key");
}

# --- Files ---

my $size = 'neither 64 hexadecimal digits nor 32 bytes';
my $mode = 'with mode 0600';
my @files = (
	# name, content, mode, why it is refused
	[ 'hexadecimal',        $key,                  0600, undef ],
	[ 'read-only',          $key,                  0400, undef ],
	[ 'a newline after it', "$key\n",              0600, undef ],
	[ 'upper case',         uc $key,               0600, undef ],
	[ '32 bytes',           pack('H*', $key),      0600, undef ],
	[ 'mode 0644',          $key,                  0644, $mode ],
	[ 'mode 0640',          $key,                  0640, $mode ],
	[ 'mode 0602',          $key,                  0602, $mode ],
	[ 'a digit short',      substr($key, 1),       0600, $size ],
	[ 'a digit long',       $key . '0',            0600, $size ],
	[ 'no digits',          'secret' x 10 . 'abcd', 0600, $size ],
	[ 'a passphrase',       'secret' x 5 . 'ab',   0600, $size ],
	[ 'a byte short',       substr(pack('H*', $key), 1), 0600, $size ],
	[ 'empty',              '',                    0600, $size ],
	[ 'far too long',       $key x 100,            0600, 'gave more than a key' ]);
for my $case (@files)
{
	my ($name, $content, $file_mode, $why) = @$case;
	$node->write_root_key($content, $file_mode);
	defined $why ? refused("file: $name", $why) : works("file: $name");
}
unlink $file;
refused('file: missing', 'No such file');
system('mkfifo', $file) == 0 or die 'no pipe';
refused('file: a pipe', $mode);
unlink $file;
mkdir $file;
refused('file: a directory', $mode);
rmdir $file;
$node->write_root_key($key, 0000);
refused('file: unreadable', 'Permission denied');
$node->write_root_key($key);
works('file: right again');

# --- Which provider ---

provider(command => "tr a-f A-F < $file | head -c 64");
works('a command, through the shell');
provider();
refused('no provider', 'Neither rampart.root_key_file nor rampart.root_key_command is set');
provider(file => $file, command => 'exit 1');
works('file and command: the file');

# --- Seen at the start of a server that preloads ---

provider(file => "$dir/absent");
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'rampart'");
$node->restart;
like(slurp_file($node->logfile), qr/WARNING:  .*root key/, 'preloaded without a root key: starts, with a warning');
refused('preloaded, missing', 'No such file');
is($node->rows(q{SELECT state FROM rampart.status() WHERE item = 'root key'}), 'missing', 'status() says so');
append_to_file("$dir/absent", $key);
chmod 0600, "$dir/absent";
works('preloaded, no restart since the file came');

# New keys: never by a root key that is only held.
$node->restart;
unlink "$dir/absent";
works('preloaded, then the file is lost');
$node->rows_are(q{SELECT state FROM rampart.status() WHERE item = 'root key'}, 'missing', 'status() says so all the same');
$node->fails_with(q{SELECT rampart.rotate_key('pii')}, 'RMK05', 'no new key under a root key that nobody else has');

unlike(slurp_file($node->logfile), qr/\Q$key\E|secretsecret/i, 'nothing of a key in the log');
done_testing();
