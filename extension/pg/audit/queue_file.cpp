// What is queued when the server's processes end goes into a file, which the next start reads and
// removes. After the crash of a process, the memory may be half changed: of each database's list,
// the records are taken that hang together and have their checksum.
#include <cstdio>
#include <cstring>

#include "pg/audit/queue.hpp"
#include "pg/audit/queue_memory.hpp"
#include "pg/audit/queued_event.hpp"

extern "C" {
#include "pgstat.h"
#include "storage/fd.h"
#include <sys/stat.h>
}

namespace rampart::pg::audit::queue {
namespace {

constexpr char kFile[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/rampart_audit_queue.stat";
constexpr char kNewFile[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/rampart_audit_queue.stat.tmp";
constexpr std::uint32_t kFormat = 0x524d4101;

struct FileHeader {
    std::uint32_t format;
    std::int32_t slots;
    std::int64_t identity;
    std::int64_t sequence;
};

struct FileSlot {
    Oid database;
    NameData name;
    bool present;
    bool resident;
    std::int64_t confirmed;
    std::int64_t lost;
    std::int64_t lost_told;
    std::int32_t records;
};

// One process uses it at a time: the postmaster.
std::uint8_t record[kMaxRecord];

template <typename Value>
bool Put(FILE* file, const Value& value) {
    return std::fwrite(&value, sizeof value, 1, file) == 1;
}
template <typename Value>
bool Take(FILE* file, Value* value) {
    return std::fread(value, sizeof *value, 1, file) == 1;
}

bool PutRecord(FILE* file, const RecordHeader& header) {
    return Put(file, header) && std::fwrite(record, 1, header.length, file) == header.length;
}

std::int32_t CountRecords(const Slot& slot) {
    std::int32_t count = 0;
    RecordHeader header;
    for (std::int32_t block = slot.first;
         count <= memory->block_count && Read(block, &header, record);
         block = memory->blocks[block].next_record)
        ++count;
    return count;
}

// That the server stopped is told when it runs again.
bool PutStopped(FILE* file, std::int64_t sequence) {
    QueuedEvent event{};
    event.at = GetCurrentTimestamp();
    event.fields[kFieldEvent] = "sys.started_or_stopped";
    event.fields[kFieldRole] = event.fields[kFieldSessionRole] = "";
    event.fields[kFieldMetadata] = R"({"state": "stopped"})";
    Encode(event, record);
    RecordHeader header{sequence, static_cast<std::uint32_t>(EncodedSize(event)), 0};
    return PutRecord(file, header);
}

bool PutSlot(FILE* file, const Slot& slot, bool clean) {
    const bool tell = clean && slot.state == State::kPresent;
    const std::int32_t count = CountRecords(slot);
    bool good =
        Put(file, FileSlot{slot.database, slot.name, slot.state == State::kPresent, slot.resident,
                           slot.confirmed, slot.lost, slot.lost_told, count + (tell ? 1 : 0)});
    std::int32_t block = slot.first;
    RecordHeader header;
    for (std::int32_t i = 0; i < count && good; ++i) {
        good = Read(block, &header, record) && PutRecord(file, header);
        block = memory->blocks[block].next_record;
    }
    return good && (!tell || PutStopped(file, ++memory->sequence));
}

bool Write(FILE* file, bool clean) {
    fchmod(fileno(file), S_IRUSR | S_IWUSR);
    // Numbers for the records that say that the server stopped.
    FileHeader header{kFormat, 0, memory->identity, memory->sequence + kSlots};
    for (int i = 0; i < memory->slot_count && i < kSlots; ++i)
        header.slots += OidIsValid(memory->slots[i].database) ? 1 : 0;
    bool good = Put(file, header);
    for (int i = 0; i < memory->slot_count && i < kSlots; ++i) {
        if (OidIsValid(memory->slots[i].database))
            good = good && PutSlot(file, memory->slots[i], clean);
    }
    return FreeFile(file) == 0 && good;
}

bool TakeSlot(FILE* file) {
    FileSlot saved;
    if (!Take(file, &saved)) return false;
    Slot* slot = FindOrMakeSlot(saved.database);
    if (slot == nullptr) return false;
    slot->name = saved.name;
    slot->state = saved.present ? State::kPresent : State::kUnknown;
    slot->resident = saved.resident;
    slot->confirmed = saved.confirmed;
    slot->lost = saved.lost;
    slot->lost_told = saved.lost_told;
    for (std::int32_t i = 0; i < saved.records; ++i) {
        RecordHeader header;
        if (!Take(file, &header) || header.length > kMaxRecord ||
            std::fread(record, 1, header.length, file) != header.length)
            return false;
        if (BlocksFor(header.length) <= memory->free_count) {
            Append(slot, header.sequence, {record, header.length});
        } else {
            ++slot->lost;  // the queue was made smaller
        }
    }
    return true;
}

}  // namespace

void Load() {
    FILE* file = AllocateFile(kFile, PG_BINARY_R);
    if (file == nullptr) return;
    FileHeader header;
    bool good = Take(file, &header) && header.format == kFormat;
    if (good) {
        memory->identity = header.identity;
        memory->sequence = header.sequence;
        for (std::int32_t i = 0; i < header.slots && good; ++i) good = TakeSlot(file);
    }
    FreeFile(file);
    if (!good)
        ereport(LOG, (errmsg("file \"%s\" is damaged: queued security events are lost", kFile)));
    unlink(kFile);
}

void Save(bool clean) {
    FILE* file = AllocateFile(kNewFile, PG_BINARY_W);
    if (file != nullptr && Write(file, clean) && durable_rename(kNewFile, kFile, LOG) == 0) return;
    ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", kFile)));
    unlink(kNewFile);
}

}  // namespace rampart::pg::audit::queue
