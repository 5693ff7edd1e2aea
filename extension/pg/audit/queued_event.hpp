// An event on its way through the queue: all that its entry will say, as bytes. What it says was so
// when it happened: time, roles, client and context are those of the session that saw it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.hpp"
#include "pg/audit/log.hpp"
#include "pg/audit/queue.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::audit {

// A text each, or nullptr. Addresses are as inet prints them, key and metadata JSON.
enum Field {
    kFieldEvent,
    kFieldSeverity,  // nullptr: the type's
    kFieldActor,
    kFieldOrg,
    kFieldIp,
    kFieldUserAgent,
    kFieldRequestId,
    kFieldRole,
    kFieldSessionRole,
    kFieldApplication,
    kFieldClient,
    kFieldRelation,
    kFieldOperation,
    kFieldKey,
    kFieldMetadata,
    kFields
};

struct QueuedEvent {
    TimestampTz at;
    Oid relation_id;
    const char* fields[kFields];
};

std::size_t EncodedSize(const QueuedEvent& event);
// REQUIRES: room for EncodedSize bytes.
void Encode(const QueuedEvent& event, std::uint8_t* out);
// The fields point into the bytes. False: these are no event.
bool Decode(ByteView bytes, QueuedEvent* event);

// Fills in what the session knows without reading a catalog: time, context, roles, application,
// client. Fields that are set stay.
void DescribeSession(QueuedEvent* event);

// Puts the event into the queue. False: it was lost, and counted.
bool EnqueueFor(const queue::Target& target, const QueuedEvent& event, queue::From from);
// For this database.
bool Enqueue(const QueuedEvent& event, queue::From from);

// Writes it into the log, in this transaction.
void WriteQueued(const QueuedEvent& event);

}  // namespace rampart::pg::audit
