#include "adapters/local/local_adapter.hpp"
#include "adapters/local/output_files.hpp"
#include "adapters/local/records/task_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

constexpr std::uint64_t bundle_bytes_max = 17 << 20;  // 16 MiB of files in tar's blocks
constexpr const char* bundle_name = "bundle.tar";

rpc_failure file_failure(int number) {
    if (number == ENOENT || number == ENOTDIR)
        return failed(adapter_error::not_found, "no such file");
    if (number == EXDEV || number == ELOOP || number == EACCES)
        return failed(adapter_error::invalid, "the path leads out of the output directory");
    return failed(adapter_error::unavailable, std::string("the file cannot be read: ") + std::strerror(number));
}

}  // namespace

verb_result<byte_piece> local_adapter::logs(const log_request& request, const call_state&) {
    const auto entry = book_.find(request.token);
    if (!entry || request.rank >= entry->tasks)
        return failed(adapter_error::not_found, "no such attempt or task");
    // Looked at first: what is written between the two looks would otherwise be missed by "complete".
    const auto at = look(*entry).at;
    const bool ended = at == observation::phase::exited;
    const auto path =
        task_dir(state_.attempt(entry->token), request.rank) / (request.error_stream ? "stderr" : "stdout");
    const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return byte_piece{request.from, request.from, {}, ended};
    if (fd < 0)
        return file_failure(errno);
    auto piece = read_piece(fd, request.from, ended);
    ::close(fd);
    return piece ? verb_result<byte_piece>(std::move(*piece)) : verb_result<byte_piece>(file_failure(errno));
}

verb_result<fetch_reply> local_adapter::fetch(const fetch_params& params, const call_state&) {
    const auto entry = book_.find(params.token);
    if (!entry)
        return failed(adapter_error::not_found, "no such attempt");
    const bool ended = look(*entry).at == observation::phase::exited;
    const int fd = open_output(state_.attempt(entry->token) / task_file::output, params.path);
    if (fd < 0)
        return file_failure(errno);
    fetch_reply reply;
    struct stat seen {};
    if (::fstat(fd, &seen) == 0 && S_ISDIR(seen.st_mode)) {
        reply.directory = true;
        list_output(fd, params.path, reply);
        return reply;
    }
    if (!S_ISREG(seen.st_mode)) {
        ::close(fd);
        return failed(adapter_error::invalid, "it is neither a file nor a directory");
    }
    reply.piece = read_piece(fd, params.from, ended);
    const int number = errno;
    ::close(fd);
    return reply.piece ? verb_result<fetch_reply>(std::move(reply)) : verb_result<fetch_reply>(file_failure(number));
}

verb_result<mutation_reply> local_adapter::put(const put_params& params, const call_state&) {
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    if (params.path != bundle_name)
        return failed(adapter_error::invalid, "only bundle.tar is taken");
    if (book_.find(params.token))
        return reply;  // launched already, with its files
    if (params.from + params.bytes.size() > bundle_bytes_max)
        return failed(adapter_error::quota_exceeded, "the files of a workload are limited to 16 MiB");
    const int fd = ::open(state_.staged(params.token).c_str(),
                          O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (params.from == 0 ? O_TRUNC : 0), 0600);
    struct stat seen {};
    if (fd < 0 || ::fstat(fd, &seen) != 0)
        return failed(adapter_error::unavailable, std::string("the files cannot be kept: ") + std::strerror(errno));
    const bool gap = static_cast<std::uint64_t>(seen.st_size) < params.from;
    std::size_t done = 0;
    while (!gap && done < params.bytes.size()) {
        const auto wrote = ::pwrite(fd, params.bytes.data() + done, params.bytes.size() - done,
                                    static_cast<off_t>(params.from + done));
        if (wrote <= 0 && errno != EINTR)
            break;
        done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    ::close(fd);
    if (gap)
        return failed(adapter_error::invalid, "pieces must follow each other; begin at 0 again");
    if (done < params.bytes.size())
        return failed(adapter_error::unavailable, "the disk does not take the files");
    return reply;
}

}  // namespace westerly
