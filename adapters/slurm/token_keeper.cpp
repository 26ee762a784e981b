#include "adapters/slurm/token_keeper.hpp"

#include "adapters/slurm/words/web_token.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace westerly {
namespace {

constexpr seconds renew_before{60};
constexpr seconds unended_kept{60};  // a token that does not tell its end is read again so often
constexpr std::size_t token_bytes_max = 64 << 10;
constexpr int command_wait_ms = 15'000;

error no_token(std::string why) {
    return fail(errc::unauthenticated, "no token for slurmrestd: " + std::move(why));
}

/// Standard output of a program, at most token_bytes_max within command_wait_ms.
result<std::string> output_of(const std::vector<std::string>& words) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return no_token("no pipe");
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = -1;
    const int failed = ::posix_spawnp(&pid, arguments[0], &files, nullptr, arguments.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
    std::string text;
    bool late = false;
    const auto until = std::chrono::steady_clock::now() + milliseconds(command_wait_ms);
    while (failed == 0 && text.size() < token_bytes_max) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        pollfd seen{ends[0], POLLIN, 0};
        late = left.count() <= 0 || ::poll(&seen, 1, static_cast<int>(left.count())) == 0;
        char piece[4096];
        const auto got = late ? 0 : ::read(ends[0], piece, sizeof piece);
        if (got <= 0)
            break;
        text.append(piece, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    if (failed != 0)
        return no_token("token_command cannot be started");
    if (late)
        ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (late || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return no_token(late ? "token_command took too long" : "token_command failed");
    return text;
}

}  // namespace

result<std::string> token_keeper::fetch() const {
    const token_source& from = config_.token;
    if (!from.signing_key_file.empty()) {
        const auto key = read_file(from.signing_key_file, token_bytes_max);
        if (!key)
            return no_token("signing_key: " + key.error().detail);
        return sign_token(*key, config_.user, system_wall_clock().now(), seconds(config_.token_lifetime_s));
    }
    if (!from.env.empty()) {
        const char* value = std::getenv(from.env.c_str());
        return value != nullptr ? result<std::string>(token_in(value))
                                : result<std::string>(no_token("the variable " + from.env + " is not set"));
    }
    auto text = from.file.empty() ? output_of(from.command) : read_file(from.file, token_bytes_max);
    if (!text)
        return no_token(text.error().detail);
    return token_in(*text);
}

result<std::string> token_keeper::token() {
    const std::lock_guard hold(lock_);
    const auto now = system_wall_clock().now();
    const bool fresh = ends_at_ ? now + renew_before < *ends_at_ : now < fetched_at_ + unended_kept;
    if (!token_.empty() && fresh)
        return token_;
    auto got = fetch();
    if (!got && (token_.empty() || !ends_at_ || now >= *ends_at_))
        return got.error();
    if (got && !got->empty()) {
        token_ = std::move(*got);
        ends_at_ = token_end(token_);
        fetched_at_ = now;
    }
    if (token_.empty())
        return no_token("it is empty");
    if (ends_at_ && now >= *ends_at_)
        return no_token("it ended at " + format_rfc3339(*ends_at_) + "; put a new one there");
    return token_;
}

void token_keeper::doubt() {
    const std::lock_guard hold(lock_);
    fetched_at_ = {};
    if (!ends_at_ || !config_.token.signing_key_file.empty() || !config_.token.command.empty())
        token_.clear();
}

}  // namespace westerly
