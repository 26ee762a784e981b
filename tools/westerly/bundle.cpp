#include "tools/westerly/bundle.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

extern char** environ;

namespace westerly {

result<std::string> make_bundle(const std::filesystem::path& folder) {
    std::error_code failed;
    if (!std::filesystem::is_directory(folder, failed))
        return fail(errc::not_found, folder.string() + " is not a directory", "--with takes a directory");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(errc::internal, "cannot make a pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string place = folder.string();
    std::string words[] = {"tar",       "--create",        "--sort=name",   "--mtime=@0",  "--owner=0",
                           "--group=0", "--numeric-owner", "--exclude-vcs", "--directory", place,
                           "."};
    char* argv[std::size(words) + 1] = {};
    for (std::size_t i = 0; i < std::size(words); ++i)
        argv[i] = words[i].data();
    pid_t child = 0;
    const int spawned = posix_spawnp(&child, "tar", &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string bytes;
    char piece[65536];
    ssize_t got = 0;
    while (spawned == 0 && bytes.size() <= bundle_bytes_max && (got = read(ends[0], piece, sizeof piece)) > 0)
        bytes.append(piece, static_cast<std::size_t>(got));
    close(ends[0]);  // a tar that still has more to write ends by SIGPIPE
    int status = 0;
    if (spawned == 0)
        waitpid(child, &status, 0);
    if (bytes.size() > bundle_bytes_max)
        return fail(errc::too_large, folder.string() + " holds more than 16 MiB",
                    "leave data out: put it where the site can reach it");
    if (spawned != 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(errc::internal, "tar could not pack " + folder.string(), "see its message above");
    return bytes;
}

}  // namespace westerly
