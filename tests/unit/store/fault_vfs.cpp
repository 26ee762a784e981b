#include "tests/unit/store/fault_vfs.hpp"

#include <sqlite3.h>

#include <cstring>

namespace westerly::test {

namespace {

fault_vfs::faults state;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs wrapping_vfs;

/// Our file in front, the real one behind it in the same block of memory.
struct wrapped_file {
    sqlite3_file base;
    bool is_log;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
wrapped_file* of(sqlite3_file* file) {
    return reinterpret_cast<wrapped_file*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
    return of(file)->real();
}

int write_bytes(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
    if ((state.bytes_left -= size) < 0)
        return SQLITE_FULL;
    if (of(file)->is_log) {
        state.log_bytes_written += size;
        state.log_bytes_unsynced += size;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

int sync_file(sqlite3_file* file, int flags) {
    if (state.syncs_fail)
        return SQLITE_IOERR_FSYNC;
    if (of(file)->is_log) {
        state.log_bytes_unsynced = 0;
        ++state.log_syncs;
    }
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

/// The other methods only pass on; a lambda of each has the C function's type.
const sqlite3_io_methods methods = {
    3,
    [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); },
    [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
    },
    write_bytes,
    [](sqlite3_file* f, sqlite3_int64 size) { return real_of(f)->pMethods->xTruncate(real_of(f), size); },
    sync_file,
    [](sqlite3_file* f, sqlite3_int64* size) { return real_of(f)->pMethods->xFileSize(real_of(f), size); },
    [](sqlite3_file* f, int lock) { return real_of(f)->pMethods->xLock(real_of(f), lock); },
    [](sqlite3_file* f, int lock) { return real_of(f)->pMethods->xUnlock(real_of(f), lock); },
    [](sqlite3_file* f, int* held) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), held); },
    [](sqlite3_file* f, int op, void* arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op, arg); },
    [](sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); },
    [](sqlite3_file* f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
        return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, to);
    },
    [](sqlite3_file* f, int at, int n, int flags) { return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags); },
    [](sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); },
    [](sqlite3_file* f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); },
    [](sqlite3_file* f, sqlite3_int64 at, int n, void** to) {
        return real_of(f)->pMethods->xFetch(real_of(f), at, n, to);
    },
    [](sqlite3_file* f, sqlite3_int64 at, void* from) { return real_of(f)->pMethods->xUnfetch(real_of(f), at, from); },
};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got_flags) {
    const int got = real_vfs->xOpen(real_vfs, name, real_of(file), flags, got_flags);
    of(file)->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    file->pMethods = got == SQLITE_OK ? &methods : nullptr;
    return got;
}

}  // namespace

fault_vfs::fault_vfs() {
    state.bytes_left = INT64_MAX;
    state.syncs_fail = false;
    real_vfs = sqlite3_vfs_find(nullptr);
    wrapping_vfs = *real_vfs;  // the rest of its functions work on names only
    wrapping_vfs.zName = "westerly-fault";
    wrapping_vfs.szOsFile = static_cast<int>(sizeof(wrapped_file)) + real_vfs->szOsFile;
    wrapping_vfs.pNext = nullptr;
    wrapping_vfs.xOpen = open_file;
    sqlite3_vfs_register(&wrapping_vfs, 1);
}

fault_vfs::~fault_vfs() {
    sqlite3_vfs_unregister(&wrapping_vfs);
    sqlite3_vfs_register(real_vfs, 1);
}

fault_vfs::faults& fault_vfs::now() {
    return state;
}

}  // namespace westerly::test
