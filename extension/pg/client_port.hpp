// The server's Port, what it knows of a client's connection. Its header asks for that of GSSAPI,
// which is of no use here and rarely installed; the struct is laid out alike without.
#pragma once

#include "pg/postgres.hpp"

#pragma push_macro("ENABLE_GSS")
#undef ENABLE_GSS
extern "C" {
#include "libpq/libpq-be.h"
}
#pragma pop_macro("ENABLE_GSS")
