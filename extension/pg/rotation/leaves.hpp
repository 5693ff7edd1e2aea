// The encrypted values in a stored one: itself, or those in its arrays, rows and domains.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg::rotation {

struct Refreshed {
    Datum value;
    bool changed;
};

// Visits each value of an encrypted type in a value of this type. What the visitor changes is put
// together again; the result is then a new value, else the given one.
using Visitor = Refreshed (*)(void* context, Datum value);
Refreshed VisitLeaves(Oid type, Datum value, Visitor visitor, void* context);

}  // namespace rampart::pg::rotation
