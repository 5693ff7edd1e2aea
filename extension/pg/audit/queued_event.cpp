#include <cstring>

#include "pg/audit/queued_event.hpp"

#include "error.hpp"
#include "pg/audit/context.hpp"
#include "pg/audit/event_type.hpp"
#include "pg/client_port.hpp"

extern "C" {
#include "common/ip.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::audit {
namespace {

constexpr std::uint32_t kNull = 0xffffffff;
// Most events need no more; in a failed transaction, memory is better not asked for.
constexpr std::size_t kUsualSize = 4096;

// The address of the client without a NAME lookup; empty over a Unix socket.
void ClientAddress(char (&out)[NI_MAXHOST]) {
    out[0] = '\0';
    const Port* port = MyProcPort;
    if (port == nullptr || port->raddr.addr.ss_family == AF_UNIX) return;
    if (pg_getnameinfo_all(&port->raddr.addr, port->raddr.salen, out, sizeof out, nullptr, 0,
                           NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        out[0] = '\0';
        return;
    }
    // The zone of a link-local address is no part of an inet.
    if (char* zone = std::strchr(out, '%')) *zone = '\0';
}

// The settings of roles are kept as names, which no catalog has to be read for.
const char* RoleSetting(const char* name) {
    const char* role = GetConfigOption(name, true, false);
    return role == nullptr || *role == '\0' || std::strcmp(role, "none") == 0 ? nullptr : role;
}

// What came before a session was there may be in any encoding.
char* Legible(const char* text) {
    if (text == nullptr) return nullptr;
    char* copy = pstrdup(text);
    const int length = static_cast<int>(std::strlen(copy));
    if (pg_verify_mbstr(GetDatabaseEncoding(), copy, length, true)) return copy;
    for (char* c = copy; *c != '\0'; ++c) {
        if (IS_HIGHBIT_SET(*c)) *c = '?';
    }
    return copy;
}

Datum ToInet(const char* text) {
    return text == nullptr ? Datum{0} : DirectFunctionCall1(inet_in, CStringGetDatum(text));
}

Jsonb* ToJson(const char* text) {
    return text == nullptr ? nullptr
                           : DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

}  // namespace

std::size_t EncodedSize(const QueuedEvent& event) {
    std::size_t size = sizeof event.at + sizeof event.relation_id;
    for (const char* field : event.fields)
        size += sizeof kNull + (field == nullptr ? 0 : std::strlen(field) + 1);
    return size;
}

void Encode(const QueuedEvent& event, std::uint8_t* out) {
    const auto put = [&out](const void* from, std::size_t size) {
        std::memcpy(out, from, size);
        out += size;
    };
    put(&event.at, sizeof event.at);
    put(&event.relation_id, sizeof event.relation_id);
    for (const char* field : event.fields) {
        const auto size =
            field == nullptr ? kNull : static_cast<std::uint32_t>(std::strlen(field) + 1);
        put(&size, sizeof size);
        if (field != nullptr) put(field, size);
    }
}

bool Decode(ByteView bytes, QueuedEvent* event) {
    const auto take = [&bytes](void* to, std::size_t size) {
        if (bytes.size() < size) return false;
        std::memcpy(to, bytes.data(), size);
        bytes = bytes.subspan(size);
        return true;
    };
    if (!take(&event->at, sizeof event->at) ||
        !take(&event->relation_id, sizeof event->relation_id))
        return false;
    for (const char*& field : event->fields) {
        std::uint32_t size = 0;
        field = nullptr;
        if (!take(&size, sizeof size)) return false;
        if (size == kNull) continue;
        if (size == 0 || size > bytes.size() || bytes[size - 1] != 0) return false;
        field = reinterpret_cast<const char*>(bytes.data());
        bytes = bytes.subspan(size);
    }
    return event->fields[kFieldEvent] != nullptr && event->fields[kFieldRole] != nullptr &&
           event->fields[kFieldSessionRole] != nullptr;
}

bool EnqueueFor(const queue::Target& target, const QueuedEvent& event, queue::From from) {
    const std::size_t size = EncodedSize(event);
    std::uint8_t usual[kUsualSize];
    auto* bytes = size <= kUsualSize ? usual : static_cast<std::uint8_t*>(palloc(size));
    Encode(event, bytes);
    const bool taken = queue::Put(target, {bytes, size}, from);
    if (bytes != usual) pfree(bytes);
    return taken;
}

bool Enqueue(const QueuedEvent& event, queue::From from) {
    return EnqueueFor({MyDatabaseId, nullptr}, event, from);
}

void DescribeSession(QueuedEvent* event) {
    static char client[NI_MAXHOST];
    static char ip[NI_MAXHOST];
    const auto set = [event](Field field, const char* text) {
        if (event->fields[field] == nullptr) event->fields[field] = text;
    };
    const Context& context = CurrentContext();
    if (event->at == 0) event->at = GetCurrentTimestamp();
    set(kFieldActor, context.actor);
    set(kFieldOrg, context.org);
    if (context.ip != Datum{0}) {
        strlcpy(ip, DatumGetCString(DirectFunctionCall1(inet_out, context.ip)), sizeof ip);
        set(kFieldIp, ip);
    }
    set(kFieldUserAgent, context.user_agent);
    set(kFieldRequestId, context.request_id);
    const char* session_role = RoleSetting("session_authorization");
    if (session_role == nullptr && MyProcPort != nullptr) session_role = MyProcPort->user_name;
    if (session_role == nullptr) session_role = "";
    set(kFieldSessionRole, session_role);
    const char* role = RoleSetting("role");
    set(kFieldRole, role != nullptr ? role : event->fields[kFieldSessionRole]);
    set(kFieldApplication, application_name);
    ClientAddress(client);
    if (client[0] != '\0') set(kFieldClient, client);
}

void WriteQueued(const QueuedEvent& event) {
    const char* fields[kFields];
    for (int i = 0; i < kFields; ++i) fields[i] = Legible(event.fields[i]);
    // One that nobody defined here any more is no reason to lose it.
    EventType type{Class::kSecurity, "medium", true};
    FindEventType(fields[kFieldEvent], &type);
    if (!type.enabled) return;
    const Origin origin{event.at,
                        {fields[kFieldActor], fields[kFieldOrg], ToInet(fields[kFieldIp]),
                         fields[kFieldUserAgent], fields[kFieldRequestId]},
                        fields[kFieldRole],
                        fields[kFieldSessionRole],
                        fields[kFieldApplication],
                        ToInet(fields[kFieldClient])};
    Entry entry{};
    entry.event = fields[kFieldEvent];
    entry.entry_class = type.entry_class;
    entry.severity = fields[kFieldSeverity] != nullptr ? fields[kFieldSeverity] : type.severity;
    entry.relation = fields[kFieldRelation];
    entry.relation_id = event.relation_id;
    entry.operation = fields[kFieldOperation];
    entry.key = ToJson(fields[kFieldKey]);
    entry.metadata = ToJson(fields[kFieldMetadata]);
    entry.origin = &origin;
    Write(entry);
}

}  // namespace rampart::pg::audit
