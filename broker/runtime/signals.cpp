#include "broker/runtime/signals.hpp"

#include <unistd.h>

#include <csignal>

namespace westerly {

namespace {

sigset_t ours() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, number);
    return set;
}

}  // namespace

void block_signals() {
    const auto set = ours();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

signal_event wait_for_signal(seconds at_most) {
    const auto set = ours();
    const timespec limit{at_most.count(), 0};
    switch (sigtimedwait(&set, nullptr, &limit)) {
        case SIGTERM:
        case SIGINT:
            return signal_event::stop;
        case SIGHUP:
            return signal_event::reload;
        default:
            return signal_event::none;
    }
}

void ask_to_stop() {
    kill(getpid(), SIGTERM);
}

}  // namespace westerly
