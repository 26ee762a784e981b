#pragma once

#include <cstdlib>
#include <string>

namespace westerly {

/// What check_certificate.py ends in.
inline int check_certificates(const std::string& file) {
    const std::string command =
        "/usr/bin/python3 " WESTERLY_SOURCE_DIR "/tools/simulate/check_certificate.py " + file + " >/dev/null 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
}
inline bool has_python() {
    return std::system("/usr/bin/python3 -c pass") == 0;
}

}  // namespace westerly
