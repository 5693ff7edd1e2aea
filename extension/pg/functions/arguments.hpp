// Arguments and results that several SQL functions have in common.
#pragma once

#include <string_view>

#include "pg/postgres.hpp"

#include "keyring/root_key.hpp"

namespace rampart::pg::functions {

Datum Text(std::string_view view);
std::string_view TextArgument(FunctionCallInfo fcinfo, int number);

// A row of the function's OUT parameters.
Datum Record(FunctionCallInfo fcinfo, Datum* values, bool* nulls);

// 'data', 'index', 'signing' or 'token', else error 22023.
KeyPurpose PurposeNamed(std::string_view name);

}  // namespace rampart::pg::functions
