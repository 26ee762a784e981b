#include "adapters/local/shim/supervisor.hpp"

#include "adapters/local/records/task_files.hpp"
#include "adapters/local/shim/control.hpp"
#include "adapters/local/shim/descendants.hpp"
#include "adapters/local/shim/log_pipe.hpp"
#include "adapters/local/shim/sandbox.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr int poll_pause_ms = 2'000;                  // a lost wake costs at most this
constexpr std::int64_t gate_wait_max_ms = 3'600'000;  // without a verdict the shim gives up; the adapter starts another
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// A wall clock may jump.
std::int64_t now_ms() {
    return time_since_boot_ms();
}

class supervisor {
public:
    supervisor(const task_plan& plan, std::uint32_t rank)
        : plan_(plan), rank_(rank), attempt_(plan.attempt_dir), task_(task_dir(attempt_, rank)) {}

    int run() {
        ::unlink((task_ / task_file::pid).c_str());
        if (auto why = start(); !why.empty())
            return give_up(why);
        gate_until_ = now_ms() + gate_wait_max_ms;
        while (state_ != state::done)
            turn();
        return 0;
    }

private:
    enum class state { preparing, waiting, running, done };

    std::string start() {
        if (plan_.isolation == isolation_kind::same_user)
            ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        sigset_t set;
        sigemptyset(&set);
        for (const int number : {SIGUSR1, SIGTERM, SIGHUP, SIGINT})
            sigaddset(&set, number);
        ::sigprocmask(SIG_SETMASK, &set, nullptr);
        signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        int pair[2];
        if (signals_ < 0 || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
            return std::string("no descriptors: ") + std::strerror(errno);
        control_ = pair[0];
        if (!out_.open(task_ / "stdout", plan_.log_bytes_max) || !err_.open(task_ / "stderr", plan_.log_bytes_max))
            return std::string("no file for its output: ") + std::strerror(errno);
        const int bundle =
            plan_.bundle ? ::open((attempt_ / task_file::bundle).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        if (plan_.bundle && bundle < 0)
            return std::string("its files are not there: ") + std::strerror(errno);
        first_ = start_first_process(plan_, rank_, pair[1], bundle, out_.writing_end(), err_.writing_end());
        const int number = errno;
        ::close(pair[1]);
        if (bundle >= 0)
            ::close(bundle);
        out_.close_writing_end();
        err_.close_writing_end();
        return first_ < 0 ? std::string("no process: ") + std::strerror(number) : std::string();
    }

    /// Nothing of the task ran.
    int give_up(const std::string& why) {
        end_first();
        out_.finish();
        err_.finish();
        write_volatile(task_ / task_file::failure, why);
        tell_adapter();
        state_ = state::done;
        return 1;
    }

    void turn() {
        std::array<pollfd, 4> watched = {{{control_, POLLIN, 0},
                                          {signals_, POLLIN, 0},
                                          {out_.reading_end(), POLLIN, 0},
                                          {err_.reading_end(), POLLIN, 0}}};
        const auto wait = std::clamp<std::int64_t>(next_deadline() - now_ms(), 0, poll_pause_ms);
        ::poll(watched.data(), watched.size(), static_cast<int>(wait));
        if (watched[2].revents != 0)
            out_.carry();
        if (watched[3].revents != 0)
            err_.carry();
        if (watched[1].revents != 0)
            take_signals();
        if (watched[0].revents != 0)
            take_word();
        host_ends_ = host_ends_ || folder_gone();  // nobody could find or cancel it any more
        if (state_ == state::waiting)
            look_at_verdict();
        if (state_ == state::running)
            look_for_stop();
    }

    std::int64_t next_deadline() const { return std::min({gate_until_, limit_at_, kill_at_}); }

    void take_signals() {
        signalfd_siginfo info;
        while (::read(signals_, &info, sizeof info) > 0)
            if (info.ssi_signo != SIGUSR1)  // that one only wakes
                host_ends_ = true;
    }

    void take_word() {
        const auto word = receive_word(control_);
        if (!word)
            return first_process_gone();
        if (word->what == 'R' && state_ == state::preparing)
            become_ready();
        else if (word->what == 'F')
            give_up(word->text);
        else if (word->what == 'X')
            record_end({.exit_code = 127, .message = word->text});
        else if (word->what == 'E')
            record_end(end_of_status(word->text));
    }

    void become_ready() {
        write_volatile(task_ / task_file::pid, format_identity(own_identity()));
        state_ = state::waiting;
        tell_adapter();
    }

    void look_at_verdict() {
        const auto text = read_small(attempt_ / task_file::verdict);
        const auto verdict = text ? parse_verdict(*text) : std::nullopt;
        if ((verdict && !verdict->go) || now_ms() >= gate_until_ || host_ends_) {
            end_first();
            ::unlink((task_ / task_file::pid).c_str());
            state_ = state::done;
            return;
        }
        if (!verdict)
            return;
        state_ = state::running;
        verdict_ = *verdict;
        gate_until_ = never;
        if (plan_.max_runtime_s) {
            const auto gone = std::max<std::int64_t>((now_since(verdict_) - verdict_.at).count(), 0);
            const auto limit =
                static_cast<std::int64_t>(std::min<std::uint64_t>(*plan_.max_runtime_s, 1ull << 40)) * 1000;
            limit_at_ = now_ms() + std::max<std::int64_t>(limit - gone, 0);
        }
        send_word(control_, 'G');
    }

    void look_for_stop() {
        if (stopped_ == stop_reason::none) {
            if (const auto grace = read_small(attempt_ / task_file::cancel))
                begin_stop(stop_reason::cancelled, *grace);
            else if (now_ms() >= limit_at_)
                begin_stop(stop_reason::time_limit);
            else if (::access((attempt_ / task_file::failed).c_str(), F_OK) == 0)
                begin_stop(stop_reason::peer_failed);
            else if (host_ends_)
                begin_stop(stop_reason::host);
        }
        if (now_ms() < kill_at_)
            return;
        kill_at_ = never;
        // In a namespace of its own the first process takes all others with it.
        if (plan_.isolation == isolation_kind::same_user)
            send_word(control_, 'K');
        else
            end_first();
    }

    void begin_stop(stop_reason why, const std::string& grace = {}) {
        std::uint32_t grace_s = plan_.grace_s;
        std::from_chars(grace.data(), grace.data() + grace.size(), grace_s);
        stopped_ = why;
        limit_at_ = never;
        kill_at_ = now_ms() + std::int64_t{grace_s} * 1000;
        send_word(control_, 'T');
    }

    void first_process_gone() {
        ::close(control_);
        control_ = -1;
        if (state_ == state::running) {
            // Killed by us after the grace, or by the machine: either way SIGKILL reached the whole task.
            record_end({.exit_signal = SIGKILL,
                        .message = stopped_ == stop_reason::none ? "the task and its first process were killed" : ""});
            return;
        }
        out_.finish();
        err_.finish();
        auto said = read_small(task_ / "stderr").value_or("");
        give_up("the sandbox ended before the task: " + said);
    }

    task_end end_of_status(const std::string& text) const {
        int status = 0;
        std::from_chars(text.data(), text.data() + text.size(), status);
        if (WIFSIGNALED(status))
            return {.exit_signal = WTERMSIG(status)};
        return {.exit_code = WEXITSTATUS(status)};
    }

    void record_end(task_end end) {
        end.at = now_since(verdict_);
        end.stopped = stopped_;
        end_first();
        out_.finish();
        err_.finish();
        // Before the record: once all ends are recorded it is known who failed first.
        if (!end.good() && (stopped_ == stop_reason::none || stopped_ == stop_reason::time_limit))
            fail_gang();
        // A full disk: the record is worth waiting for. Without its folder nobody will ever read it.
        while (!write_file_atomically(task_ / task_file::ended, format_end(end), 0600) && !folder_gone())
            ::poll(nullptr, 0, poll_pause_ms);
        tell_adapter();
        state_ = state::done;
    }

    /// Says once that this rank failed first, and wakes the others.
    void fail_gang() {
        const int fd = ::open((attempt_ / task_file::failed).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return;
        const auto rank = std::to_string(rank_);
        [[maybe_unused]] const auto wrote = ::write(fd, rank.data(), rank.size());
        ::fsync(fd);
        ::close(fd);
        for (std::uint32_t peer = 0; peer < plan_.tasks; ++peer) {
            const auto text = peer == rank_ ? std::nullopt : read_small(task_dir(attempt_, peer) / task_file::pid);
            if (const auto who = text ? parse_identity(*text) : std::nullopt)
                signal_process(*who, SIGUSR1);
        }
    }

    bool folder_gone() const { return ::access(task_.c_str(), F_OK) != 0 && errno == ENOENT; }

    void end_first() {
        if (first_ <= 0)
            return;
        ::kill(first_, SIGKILL);
        while (::waitpid(first_, nullptr, 0) < 0 && errno == EINTR) {
        }
        first_ = -1;
        // Without a namespace of its own, what the first process leaves when it is killed comes to us.
        if (plan_.isolation == isolation_kind::same_user)
            end_descendants();
    }

    void tell_adapter() const {
        const int fd = ::open(plan_.events.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return;  // it looks by itself when it is back
        const auto line = plan_.token + '\n';
        [[maybe_unused]] const auto wrote = ::write(fd, line.data(), line.size());
        ::close(fd);
    }

    const task_plan& plan_;
    const std::uint32_t rank_;
    const fs::path attempt_;
    const fs::path task_;
    state state_ = state::preparing;
    launch_verdict verdict_;
    stop_reason stopped_ = stop_reason::none;
    bool host_ends_ = false;
    int signals_ = -1;
    int control_ = -1;
    pid_t first_ = -1;
    log_pipe out_;
    log_pipe err_;
    std::int64_t gate_until_ = never;
    std::int64_t limit_at_ = never;
    std::int64_t kill_at_ = never;
};

}  // namespace

int supervise_task(const task_plan& plan, std::uint32_t rank) {
    return supervisor(plan, rank).run();
}

}  // namespace westerly
