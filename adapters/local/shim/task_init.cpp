#include "adapters/local/shim/task_init.hpp"

#include "adapters/local/records/task_files.hpp"
#include "adapters/local/shim/control.hpp"
#include "adapters/local/shim/descendants.hpp"
#include "adapters/local/shim/sandbox.hpp"
#include "adapters/local/shim/start_task.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace westerly {
namespace {

class task_init {
public:
    task_init(const task_plan& plan, std::uint32_t rank, int control)
        : plan_(plan), rank_(rank), control_(control), alone_(plan.isolation != isolation_kind::same_user) {}

    int run(int bundle) {
        if (auto why = prepare(bundle); !why.empty()) {
            send_word(control_, 'F', why);
            return 1;
        }
        if (!send_word(control_, 'R'))
            return 1;
        const auto word = receive_word(control_);
        if (!word || word->what != 'G')
            return 0;
        const auto started = start_command(plan_, rank_);
        if (!started.failure.empty()) {
            send_word(control_, 'X', started.failure);
            return 1;
        }
        main_ = started.pid;
        const int status = follow();
        end_the_rest();
        send_word(control_, 'E', std::to_string(status));
        return 0;
    }

private:
    std::string prepare(int bundle) {
        ::prctl(PR_SET_DUMPABLE, 0);
        if (!alone_)
            ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        ::sigprocmask(SIG_SETMASK, &set, nullptr);
        children_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (children_ < 0)
            return "no signal descriptor";
        if (plan_.isolation == isolation_kind::uid)
            if (auto why = enter_private_mounts(plan_, rank_); !why.empty())
                return why;
        if (::chdir(folders_of(plan_, rank_).scratch.c_str()) != 0)
            return "the scratch directory is not there";
        return plan_.bundle ? unpack_bundle(plan_, bundle) : std::string();
    }

    /// Until the task itself has ended; its wait status.
    int follow() {
        for (;;) {
            std::array<pollfd, 2> watched = {{{children_, POLLIN, 0}, {control_, POLLIN, 0}}};
            ::poll(watched.data(), watched.size(), -1);
            if (watched[1].revents != 0)
                obey();
            signalfd_siginfo info;
            while (::read(children_, &info, sizeof info) > 0) {
            }
            int status = 0;
            for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
                if (pid == main_)
                    return status;
        }
    }

    void obey() {
        const auto word = receive_word(control_);
        if (!word || word->what == 'K') {  // gone: nobody watches over the task any more
            signal_all(SIGKILL);
            if (!word)
                control_ = -1;
        } else if (word->what == 'T') {
            signal_all(SIGTERM);
        }
    }

    void signal_all(int number) {
        if (alone_)
            ::kill(-1, number);  // of this process namespace, without this process
        else
            signal_descendants(::getpid(), number);
    }

    /// What the task left behind does not outlive it.
    void end_the_rest() {
        if (!alone_)
            return end_descendants();
        do
            ::kill(-1, SIGKILL);
        while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR);
    }

    const task_plan& plan_;
    std::uint32_t rank_;
    int control_;
    bool alone_;
    int children_ = -1;
    pid_t main_ = -1;
};

}  // namespace

task_folders folders_of(const task_plan& plan, std::uint32_t rank) {
    if (plan.isolation != isolation_kind::same_user) {
        const std::string base = sandbox_folder;
        return {base + "/scratch", base + "/input", base + "/output", base + "/checkpoint"};
    }
    const std::filesystem::path attempt = plan.attempt_dir;
    return {task_dir(attempt, rank) / task_file::scratch, attempt / task_file::input, attempt / task_file::output,
            plan.checkpoint_dir};
}

int run_task_init(const task_plan& plan, std::uint32_t rank, int control, int bundle) {
    return task_init(plan, rank, control).run(bundle);
}

}  // namespace westerly
