// Logins. There is no database yet, only the name that the client asked for; whether it has
// Rampart, the queue knows. Logins that fail are seen by errors.cpp: this hook is not called for
// all of them.
#include <utility>

#include "pg/boundary.hpp"
#include "pg/client_port.hpp"
#include "pg/detectors/detectors.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "libpq/auth.h"
#include "utils/syscache.h"
}

namespace rampart::pg::detectors {
namespace {

ClientAuthentication_hook_type previous_hook = nullptr;

bool IsSuperuser(const char* role) {
    const HeapTuple row = SearchSysCache1(AUTHNAME, CStringGetDatum(role));
    if (!HeapTupleIsValid(row)) return false;
    const bool is = reinterpret_cast<Form_pg_authid>(GETSTRUCT(row))->rolsuper;
    ReleaseSysCache(row);
    return is;
}

void Tell(const Port& port, const char* event) {
    Finding finding(event);
    finding.Of(port.user_name).With("application", port.application_name);
    if (port.ssl_in_use) finding.With("encryption", "tls");
    finding.SendTo({InvalidOid, port.database_name});
}

void OnAuthentication(Port* port, int status) {
    if (previous_hook != nullptr) previous_hook(port, status);
    if (status != STATUS_OK || port->database_name == nullptr) return;
    Guard([&] {
        Tell(*port, "auth.login_success");
        if (IsSuperuser(port->user_name)) Tell(*port, "auth.superuser_login");
    });
}

}  // namespace

void InstallLoginHook() {
    previous_hook = std::exchange(ClientAuthentication_hook, OnAuthentication);
}

}  // namespace rampart::pg::detectors
