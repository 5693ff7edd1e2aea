// The columns of rampart.audit_log, counted from 0.
#pragma once

namespace rampart::pg::audit {

// As sql/rampart/70_audit_tables.sql declares them.
enum Column {
    kId,
    kAt,
    kXid,
    kLineage,
    kEvent,
    kClass,
    kSeverity,
    kActor,
    kOrg,
    kIp,
    kUserAgent,
    kRequestId,
    kRole,
    kSessionRole,
    kApplication,
    kClient,
    kRelation,
    kRelationId,
    kOperation,
    kKey,
    kOld,
    kNew,
    kMetadata,
    kSalt,
    kErased,
    kColumns
};

}  // namespace rampart::pg::audit
