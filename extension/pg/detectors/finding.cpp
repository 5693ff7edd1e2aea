#include "pg/detectors/detectors.hpp"

extern "C" {
#include "utils/json.h"
}

namespace rampart::pg::detectors {

Finding::Finding(const char* event) {
    event_.fields[audit::kFieldEvent] = event;
    initStringInfo(&metadata_);
    appendStringInfoChar(&metadata_, '{');
}

void Finding::Key(const char* key) {
    if (metadata_.len > 1) appendStringInfoString(&metadata_, ", ");
    escape_json(&metadata_, key);
    appendStringInfoString(&metadata_, ": ");
}

Finding& Finding::With(const char* key, const char* value) {
    if (value == nullptr) return *this;
    Key(key);
    escape_json(&metadata_, value);
    return *this;
}

Finding& Finding::Open(const char* key) {
    Key(key);
    appendStringInfoChar(&metadata_, '[');
    first_item_ = true;
    return *this;
}

// A statement can name thousands.
Finding& Finding::Item(const char* value) {
    constexpr int kEnough = 16 * 1024;
    if (value == nullptr || metadata_.len > kEnough) return *this;
    if (!first_item_) appendStringInfoString(&metadata_, ", ");
    first_item_ = false;
    escape_json(&metadata_, value);
    return *this;
}

Finding& Finding::Close() {
    appendStringInfoChar(&metadata_, ']');
    return *this;
}

Finding& Finding::Of(const char* role) {
    event_.fields[audit::kFieldRole] = event_.fields[audit::kFieldSessionRole] = role;
    return *this;
}

Finding& Finding::About(const char* relation, Oid relation_id) {
    event_.fields[audit::kFieldRelation] = relation;
    event_.relation_id = relation_id;
    return *this;
}

void Finding::SendTo(const audit::queue::Target& target) {
    appendStringInfoChar(&metadata_, '}');
    if (metadata_.len > 2) event_.fields[audit::kFieldMetadata] = metadata_.data;
    audit::DescribeSession(&event_);
    audit::EnqueueFor(target, event_, audit::queue::From::kDetector);
}

}  // namespace rampart::pg::detectors
