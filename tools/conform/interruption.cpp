#include "tools/conform/interruption.hpp"

#include <csignal>

namespace westerly {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM};
volatile std::sig_atomic_t came = 0;  // the only thing that a handler may touch

void keep(int) {
    came = 1;
}

}  // namespace

interruption::interruption() {
    came = 0;
    struct sigaction how {};
    how.sa_handler = keep;
    how.sa_flags = SA_RESETHAND;
    for (const int one : signals)
        ::sigaction(one, &how, nullptr);
}

interruption::~interruption() {
    for (const int one : signals)
        std::signal(one, SIG_DFL);
}

void check_interruption() {
    if (came == 0)
        return;
    came = 0;
    throw interrupted{};
}

}  // namespace westerly
