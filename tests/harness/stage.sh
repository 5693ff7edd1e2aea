#!/usr/bin/env bash
# Makes a relocated copy of PostgreSQL with this build of Rampart in it: stage.sh BUILD_DIR STAGE_DIR
#
# The server finds its libraries and share files relative to its own binary, so real copies of the
# binaries and links to everything else are a complete server, and no system directory is written to.
set -euo pipefail
build=$1 stage=$2
bin=$(pg_config --bindir) lib=$(pg_config --pkglibdir) share=$(pg_config --sharedir)
version=$(pg_config --version)

mkdir -p "$stage$bin" "$stage$lib" "$stage$share/extension"
if [ "$(cat "$stage/.version" 2>/dev/null)" != "$version" ]; then
    cp -L "$bin"/* "$stage$bin/"
    ln -sf "$share"/* "$stage$share/" 2>/dev/null || true
    rm -f "$stage$share/extension/extension"
    echo "$version" > "$stage/.version"
fi
# Also those of extensions that were installed since.
ln -sf "$lib"/* "$stage$lib/"
ln -sf "$share"/extension/* "$stage$share/extension/"
# A running server keeps the file it has mapped; and nothing is written through a link to the system's Rampart.
rm -f "$stage$lib/rampart.so" "$stage$share/extension"/rampart[.-]*
DESTDIR=$stage cmake --install "$build" > /dev/null
chmod -R a+rX "$stage"
