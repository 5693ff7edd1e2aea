// What is noticed without anybody calling rampart.log_event: logins, refusals, statements that
// change who may do what. Each finding is a security event of the database that it was made in, and
// goes through the queue: it survives a rollback, no session waits for room, and what finds none is
// counted. Where the postmaster does not preload the library there is no queue, and no detector.
//
// rampart.alter_event('...', enabled => false) switches off what is not wanted.
#pragma once

#include "pg/audit/queue.hpp"
#include "pg/audit/queued_event.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "lib/stringinfo.h"
}

namespace rampart::pg::detectors {

// An event being described: names of objects and options. Never a statement's text, which may hold
// passwords and values.
class Finding {
  public:
    explicit Finding(const char* event);
    // Into metadata. nullptr adds nothing.
    Finding& With(const char* key, const char* value);
    // Several values of one key, one after another.
    Finding& Open(const char* key);
    Finding& Item(const char* value);
    Finding& Close();
    Finding& Of(const char* role);  // in whose name, where no session knows it yet
    Finding& About(const char* relation, Oid relation_id);
    void Send() { SendTo({MyDatabaseId, nullptr}); }
    void SendTo(const audit::queue::Target& target);

  private:
    void Key(const char* key);

    audit::QueuedEvent event_{};
    StringInfoData metadata_;
    bool first_item_ = true;
};

void InstallStatementHook();
void InstallErrorHooks();
void InstallLoginHook();

// REQUIRES: the postmaster is loading shared_preload_libraries.
inline void Install() {
    InstallStatementHook();
    InstallErrorHooks();
    InstallLoginHook();
}

}  // namespace rampart::pg::detectors
