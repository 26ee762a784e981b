#pragma once

#include <optional>
#include <string>

namespace westerly {

/// The words between a shim and its task's first process, one packet each over a socket pair.
///   to the shim    'R' ready · 'F'TEXT not ready, why · 'X'TEXT the command could not be run, why · 'E'NUMBER the
///   task's
///                  wait status, when nothing of it is left
///   to the first   'G' start the task · 'T' SIGTERM to all of it · 'K' SIGKILL to all of it
struct control_word {
    char what = 0;
    std::string text;
};

/// False: the other side is gone.
bool send_word(int fd, char what, const std::string& text = {});
/// Waits for a word; nullopt: the other side is gone.
std::optional<control_word> receive_word(int fd);

}  // namespace westerly
