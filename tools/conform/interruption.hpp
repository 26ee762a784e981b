#pragma once

namespace westerly {

/// Thrown out of whatever the kit waits for: what it has launched is to be ended now.
struct interrupted {};

/// While it lives, the first Ctrl-C or SIGTERM is kept for `check_interruption`; a second one ends the process at once.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;
};

/// Throws `interrupted`, once, when a signal has come.
void check_interruption();

}  // namespace westerly
