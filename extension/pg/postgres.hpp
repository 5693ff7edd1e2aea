// The one door to the server's headers. Standard headers come before it: port.h turns snprintf into
// a macro, elog.h INFO, WARNING and ERROR.
#pragma once

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
}

// PGDLLEXPORT is empty on this platform before PostgreSQL 16; the module is built with hidden
// visibility.
#define RAMPART_EXPORT __attribute__((visibility("default")))
