#pragma once

#include "broker/support/time.hpp"

namespace westerly {

enum class signal_event : unsigned char { none, stop, reload };

/// Blocks SIGTERM, SIGINT and SIGHUP in this and all later threads, and ignores SIGPIPE. Call first in main.
void block_signals();

/// Waits in the main thread: stop for SIGTERM and SIGINT, reload for SIGHUP, none after `at_most`.
signal_event wait_for_signal(seconds at_most);

/// As if SIGTERM had come; from any thread.
void ask_to_stop();

}  // namespace westerly
