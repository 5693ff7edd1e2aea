// Types of the columns that a client is sent.
#pragma once

namespace rampart::pg::rewrite {

// Whether what is being analysed or planned now has its result sent to a client, and not stored.
bool GoesToClient();

void InstallResultsHook();

}  // namespace rampart::pg::rewrite
