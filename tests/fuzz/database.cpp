#include "broker/store/store.hpp"
#include "broker/support/embedded.hpp"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

// A database that an older version wrote and something has damaged since: it is opened, migrated, loaded and read, or
// refused. The input is a list of changes of four bytes: where (in 65536ths of the file), how far on, and what.
namespace {

using namespace westerly;
namespace fs = std::filesystem;

/// The folder of this process and the file that every input starts from: the first schema, with one row of most kinds.
struct ground {
    ground() {
        char name[] = "/tmp/westerly-fuzz-XXXXXX";
        folder = ::mkdtemp(name);
        const auto file = folder / "made.db";
        sqlite3* made = nullptr;
        const std::string script = std::string(*embedded_file("schema/sql/0001_first_light.sql")) + rows;
        if (sqlite3_open(file.c_str(), &made) != SQLITE_OK ||
            sqlite3_exec(made, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
            __builtin_trap();
        sqlite3_close(made);
        std::ifstream in(file, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    ~ground() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }

    static constexpr const char* rows = R"(
INSERT INTO installation VALUES (1, x'00000000000070008000000000000001', 1, 1, 'machine', 3);
INSERT INTO tenants VALUES (1, 7, x'00000000000070008000000000000002', 'ocean', 1000);
INSERT INTO api_keys VALUES (1, 7, x'00000000000070008000000000000003', x'00000000000070008000000000000002', 0, 'laptop',
  x'0000000000000000000000000000000000000000000000000000000000000004', 1000, NULL);
INSERT INTO workloads VALUES (1, 7, x'00000000000070008000000000000005', x'00000000000070008000000000000002', 1000, 'tide',
  '', '{"kind":"batch","name":"tide","variants":[{"command":["true"]}],"resources":{"vcpus":1,"memory_mib":512}}');
INSERT INTO labels VALUES (x'00000000000070008000000000000002', 'team', 'ocean', 1, 7);
INSERT INTO live VALUES (1, 7, 2, 4, 4, 2000, 1, 1, 0, x'00000000000070008000000000000006',
  x'00000000000070008000000000000007', NULL, 0, 1500, NULL, NULL, NULL, '', '[["no_capacity","full"]]');
INSERT INTO attempts VALUES (1, 7, x'00000000000070008000000000000006', 1, 1, 'local', 'east', 'local/east/core/on_demand',
  x'00000000000070008000000000000007', 1, 1000, x'01000000010100000000000000000000');
INSERT INTO attempts_live VALUES (1, 7, 3, 0, 0, 0, 'h', 2, 2000, 1500, NULL, 2000, NULL, NULL, NULL, '');
INSERT INTO events VALUES (1, 7, 1, 0, 1000, x'00000000000070008000000000000002', x'00000000000070008000000000000005', NULL,
  'workload.queued', 'Accepted.');
INSERT INTO outbox VALUES (3, 1, 'local', x'00000000000070008000000000000006', 2, 1);
INSERT INTO idempotency VALUES (1, 7, x'00000000000070008000000000000002', 'POST /v1/workloads', 'k',
  x'0000000000000000000000000000000000000000000000000000000000000008', x'00000000000070008000000000000005', 9000000000000);
)";

    fs::path folder;
    std::string bytes;
};

void read_all(store& from) {
    auto& readers = from.readers();
    const auto list = readers.list_workloads({}, "", 10);
    if (list)
        for (const auto& w : list->items)
            (void)readers.attempts_of(w.id);
    (void)readers.list_events({}, "", 10);
    (void)readers.list_usage({}, "", 10);
    (void)readers.total_charges({});
    (void)readers.list_keys(std::nullopt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ground base;
    std::string bytes = base.bytes;
    for (std::size_t at = 0; at + 4 <= size && at < 256; at += 4) {
        const auto share = static_cast<std::size_t>(data[at] << 8 | data[at + 1]);
        bytes[(share * bytes.size() / 65'536 + data[at + 2]) % bytes.size()] = static_cast<char>(data[at + 3]);
    }
    const auto file = base.folder / "westerly.db";
    for (const char* suffix : {"", "-wal", "-shm"})
        ::unlink((file.string() + suffix).c_str());
    std::ofstream(file, std::ios::binary) << bytes;
    if (auto opened = open_sqlite_store({.file = file, .machine_id = "machine"})) {
        (void)(*opened)->load(system_wall_clock().now());
        read_all(**opened);
    }
    return 0;
}
