#include "tests/unit/local/adapter_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <sstream>
#include <thread>

namespace westerly {
namespace {

namespace fs = std::filesystem;
constexpr uid_t nobody = 65534;
constexpr auto pause = std::chrono::milliseconds(10);
constexpr int tries_max = 6'000;

template <class T>
T value_of(const rpc_message& message, result<T> (*decode)(const json_value&)) {
    if (message.what != rpc_message::kind::response) {
        ADD_FAILURE() << "a failure came: " << decode_rpc_failure(message).message;
        return T{};
    }
    auto value = decode(rpc_body(message));
    EXPECT_TRUE(value) << value.error().detail;
    return value ? std::move(*value) : T{};
}

}  // namespace

adapter_process::adapter_process(settings use) : use_(std::move(use)) {
    ::signal(SIGPIPE, SIG_IGN);
    int to[2];
    int from[2];
    EXPECT_EQ(::pipe2(to, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(from, O_CLOEXEC), 0);
    const std::string program = WESTERLY_BIN_DIR "/westerly-adapter-local";
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(to[0], 0);
        ::dup2(from[1], 1);
        if (use_.as_nobody && (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0))
            ::_exit(126);
        ::execl(program.c_str(), program.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    in_ = to[1];
    out_ = from[0];
}

adapter_process::~adapter_process() {
    ::close(in_);
    if (pid_ > 0)
        ::waitpid(pid_, nullptr, 0);
    ::close(out_);
}

rpc_message adapter_process::start() {
    return call("initialize", encode(initialize_request{1, "local", "me", use_.state, use_.config, {}}));
}

std::uint64_t adapter_process::begin(std::string_view method, const std::string& params) {
    const auto line = rpc_request(next_id_, method, params) + '\n';
    for (std::size_t done = 0; done < line.size();) {
        const auto wrote = ::write(in_, line.data() + done, line.size() - done);
        if (wrote <= 0)
            break;
        done += static_cast<std::size_t>(wrote);
    }
    return next_id_++;
}

bool adapter_process::read_more() {
    pollfd ready{out_, POLLIN, 0};
    char chunk[65536];
    const auto got = ::poll(&ready, 1, 60'000) == 1 ? ::read(out_, chunk, sizeof chunk) : 0;
    if (got <= 0)
        return false;
    buffer_.append(chunk, static_cast<std::size_t>(got));
    for (std::size_t end; (end = buffer_.find('\n')) != std::string::npos; buffer_.erase(0, end + 1)) {
        auto message = decode_rpc(std::string_view(buffer_).substr(0, end));
        EXPECT_TRUE(message) << buffer_.substr(0, end);
        if (!message)
            continue;
        if (message->what == rpc_message::kind::notification) {
            if (message->method == "attempt.changed")
                changes.push_back(decode_observation(rpc_body(*message)).value());
            continue;
        }
        const auto id = message->id;
        replies_.emplace(id, std::move(*message));
    }
    return true;
}

rpc_message adapter_process::wait_for(std::uint64_t id) {
    while (!replies_.contains(id))
        if (!read_more()) {
            ADD_FAILURE() << "no reply";
            return {};
        }
    auto found = std::move(replies_.at(id));
    replies_.erase(id);
    return found;
}

rpc_message adapter_process::call(std::string_view method, const std::string& params) {
    return wait_for(begin(method, params));
}

void adapter_process::kill_9() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

mutation_reply adapter_process::launch(const launch_request& request) {
    return value_of(call("launch", encode(request)), decode_mutation_reply);
}

observation adapter_process::find(const std::string& token) {
    return value_of(call("find", encode(token_params{token, 0})), decode_observation);
}

observation adapter_process::wait_for_phase(const std::string& token, observation::phase phase) {
    observation seen;
    for (int tries = 0; tries < tries_max; ++tries) {
        seen = find(token);
        if (seen.at >= phase || testing::Test::HasFailure())
            break;
        std::this_thread::sleep_for(pause);
    }
    return seen;
}

observation adapter_process::wait_for_end(const std::string& token) {
    return wait_for_phase(token, observation::phase::exited);
}

mutation_reply adapter_process::cancel(const std::string& token, std::uint32_t grace_s) {
    return value_of(call("cancel", encode(token_params{token, grace_s})), decode_mutation_reply);
}

std::string adapter_process::log(const std::string& token, std::uint32_t rank, bool error_stream) {
    return value_of(call("logs", encode(log_request{token, rank, error_stream, 0})), decode_byte_piece).bytes;
}

std::uint64_t adapter_process::units_free() {
    const auto reply = value_of(call("offers", "{}"), decode_offers_reply);
    return reply.offers.size() == 1 ? reply.offers[0].shape.units_free.value_or(0) : 0;
}

scratch_dir::scratch_dir() {
    std::string name = "/tmp/westerly-local-test-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
}

scratch_dir::~scratch_dir() {
    std::error_code code;
    fs::remove_all(path_, code);
}

void scratch_dir::give_to_nobody() const {
    EXPECT_EQ(::chown(path_.c_str(), nobody, nobody), 0);
}

std::string new_token() {
    static std::random_device chance;
    std::ostringstream out;
    out << 'w' << std::hex;
    for (int i = 0; i < 32; ++i)
        out << (i == 12 ? 4u : chance() % 16);
    return out.str();
}

launch_request shell(const std::string& script) {
    launch_request request;
    request.token = new_token();
    request.fence = 1;
    request.owner = "me";
    request.workload = "workload-" + request.token;
    request.attempt = "attempt-" + request.token;
    request.name = "test";
    request.tenant = "tenant";
    request.site = "east";
    request.offer = "cores";
    request.memory_mib = 512;
    request.run = {"none", {"/bin/sh", "-c", script}, {}, {}};
    request.grace_s = 1;
    return request;
}

std::vector<pid_t> processes_with(const std::string& text) {
    std::vector<pid_t> found;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator("/proc", code)) {
        const auto pid = std::atoi(entry.path().filename().c_str());
        std::string line(65536, '\0');
        const int fd = ::open((entry.path() / "cmdline").c_str(), O_RDONLY | O_CLOEXEC);
        const auto got = fd < 0 ? 0 : ::read(fd, line.data(), line.size());
        line.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (fd >= 0)
            ::close(fd);
        if (pid > 0 && pid != ::getpid() && line.find(text) != std::string::npos)
            found.push_back(pid);
    }
    return found;
}

bool gone(const std::string& command_text) {
    for (int tries = 0; tries < tries_max / 6; ++tries) {
        if (processes_with(command_text).empty())
            return true;
        std::this_thread::sleep_for(pause);
    }
    return false;
}

}  // namespace westerly
