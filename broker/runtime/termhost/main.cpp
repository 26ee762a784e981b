// westerly-termhost: runs one library of the C ABI (policies/sdk/westerly_term.h) for the broker, which starts it with
// a socket as its standard input. What is said there: broker/runtime/term_messages.hpp.
//
//   westerly-termhost LIBRARY [KEY=VALUE…]
//
// It ends when the socket does. It is plain C++ without the broker's libraries: what crashes or lingers here is the
// library's doing.
#include "broker/runtime/term_messages.hpp"
#include "broker/runtime/termhost/confine.hpp"
#include "policies/sdk/westerly_term.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace westerly;
namespace protocol = westerly::term_protocol;

constexpr int channel = STDIN_FILENO;

void put(protocol::text& into, const char* from) {
    std::snprintf(into.data(), into.size(), "%s", from ? from : "");
}

bool send_packet(const void* bytes, std::size_t size) {
    ssize_t sent;
    do
        sent = ::send(channel, bytes, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(size);
}

/// What a library that takes no part in the greeting would leave: 0.
[[noreturn]] void refuse(protocol::greeting said, protocol::greeting_outcome why, const char* fault) {
    said.outcome = why;
    put(said.fault, fault);
    send_packet(&said, sizeof said);
    std::_Exit(0);
}

struct library {
    decltype(&westerly_term_describe) describe = nullptr;
    decltype(&westerly_term_configure) configure = nullptr;
    decltype(&westerly_term_evaluate) evaluate = nullptr;
};

library load(const char* path, protocol::greeting& said) {
    using enum protocol::greeting_outcome;
    void* const handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        refuse(said, not_loaded, ::dlerror());
    library loaded;
    loaded.describe = reinterpret_cast<decltype(loaded.describe)>(::dlsym(handle, "westerly_term_describe"));
    loaded.configure = reinterpret_cast<decltype(loaded.configure)>(::dlsym(handle, "westerly_term_configure"));
    loaded.evaluate = reinterpret_cast<decltype(loaded.evaluate)>(::dlsym(handle, "westerly_term_evaluate"));
    if (!loaded.describe || !loaded.evaluate)
        refuse(said, not_a_term,
               loaded.describe ? "it has no function westerly_term_evaluate"
                               : "it has no function westerly_term_describe");
    const westerly_term_info* info = loaded.describe();
    if (!info)
        refuse(said, not_a_term, "westerly_term_describe gave nothing");
    said.abi = info->abi;
    if (info->abi != WESTERLY_TERM_ABI)
        refuse(said, wrong_abi, "");
    put(said.unit, info->unit);
    put(said.meaning, info->meaning);
    return loaded;
}

void configure(const library& with, int count, char** words, const protocol::greeting& said) {
    using enum protocol::greeting_outcome;
    std::vector<std::string> texts;
    std::vector<westerly_term_option> options;
    for (int i = 0; i < count; ++i)
        texts.emplace_back(words[i]);
    for (std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos)
            refuse(said, options_refused, "an option without a value");
        text[equals] = '\0';
        options.push_back({text.c_str(), text.c_str() + equals + 1});
    }
    if (!with.configure) {
        if (!options.empty())
            refuse(said, options_refused, "it takes no options");
        return;
    }
    protocol::text why{};
    if (with.configure(options.data(), options.size(), why.data(), why.size()) != 0) {
        why.back() = '\0';
        refuse(said, options_refused, why.data());
    }
}

/// The shared memory as this process sees it.
class memory {
public:
    bool map(int columns, int quantities) {
        return map_one(columns, PROT_READ, columns_, columns_size_) &&
               map_one(quantities, PROT_READ | PROT_WRITE, quantities_, quantities_size_);
    }
    bool holds(const protocol::counts& have) const {
        return columns_ && protocol::layout_of(have).end <= columns_size_ &&
               have.offers * sizeof(double) <= quantities_size_;
    }
    const char* columns() const { return static_cast<const char*>(columns_); }
    double* quantities() const { return static_cast<double*>(quantities_); }

private:
    static bool map_one(int fd, int protection, void*& at, std::size_t& size) {
        if (at)
            ::munmap(at, size);
        at = nullptr;
        struct stat told {};
        if (::fstat(fd, &told) != 0)
            return false;
        size = static_cast<std::size_t>(told.st_size);
        void* const mapped = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
        ::close(fd);
        if (mapped == MAP_FAILED)
            return false;
        at = mapped;
        return true;
    }

    void* columns_ = nullptr;
    void* quantities_ = nullptr;
    std::size_t columns_size_ = 0, quantities_size_ = 0;
};

/// Where each column is; names are looked at anew when the table is another one.
class view {
public:
    const westerly_term_columns& of(const memory& shared, const protocol::question& asked) {
        const protocol::layout at = protocol::layout_of(asked.have);
        const char* const base = shared.columns();
        if (asked.table != table_) {
            names_.clear();
            const char* name = base + at.names;
            for (std::uint64_t n = 0; n < asked.have.names; ++n, name += std::strlen(name) + 1)
                names_.push_back(name);
            table_ = asked.table;
        }
        const auto real = [&](std::size_t from, std::size_t column, std::size_t rows) {
            return reinterpret_cast<const double*>(base + from) + column * rows;
        };
        const auto number = [&](std::size_t from, std::size_t column, std::size_t rows) {
            return reinterpret_cast<const std::uint32_t*>(base + from) + column * rows;
        };
        const std::size_t sites = asked.have.sites, shapes = asked.have.shapes, offers = asked.have.offers;
        columns_ = {.size = sizeof columns_,
                    .reserved = 0,
                    .name_count = names_.size(),
                    .names = names_.data(),
                    .site_count = sites,
                    .site_provider_name = number(at.sites_number, 0, sites),
                    .site_name = number(at.sites_number, 1, sites),
                    .site_region_name = number(at.sites_number, 2, sites),
                    .site_jurisdiction_name = number(at.sites_number, 3, sites),
                    .site_grid_zone_name = number(at.sites_number, 4, sites),
                    .site_latitude = real(at.sites_real, 0, sites),
                    .site_longitude = real(at.sites_real, 1, sites),
                    .site_pue = real(at.sites_real, 2, sites),
                    .site_green_share = real(at.sites_real, 3, sites),
                    .site_carbon_g_per_kwh = real(at.sites_real, 4, sites),
                    .site_rtt_ms = real(at.sites_real, 5, sites),
                    .site_data_movement_s = real(at.sites_real, 6, sites),
                    .shape_count = shapes,
                    .shape_architecture_name = number(at.shapes_number, 0, shapes),
                    .shape_accelerator_name = number(at.shapes_number, 1, shapes),
                    .shape_vcpus = real(at.shapes_real, 0, shapes),
                    .shape_memory_gib = real(at.shapes_real, 1, shapes),
                    .shape_cards = real(at.shapes_real, 2, shapes),
                    .shape_idle_w = real(at.shapes_real, 3, shapes),
                    .shape_max_w = real(at.shapes_real, 4, shapes),
                    .shape_units = real(at.shapes_real, 5, shapes),
                    .shape_run_hours = real(at.shapes_real, 6, shapes),
                    .shape_energy_kwh = real(at.shapes_real, 7, shapes),
                    .offer_count = offers,
                    .offer_site = number(at.offers_number, 0, offers),
                    .offer_shape = number(at.offers_number, 1, offers),
                    .offer_price_per_h = real(at.offers_real, 0, offers),
                    .offer_units_total = real(at.offers_real, 1, offers)};
        return columns_;
    }

private:
    std::uint64_t table_ = 0;
    std::vector<const char*> names_;
    westerly_term_columns columns_{};
};

/// False: the broker is gone, or speaks another language.
bool receive(protocol::question& asked, memory& shared) {
    iovec into{&asked, sizeof asked};
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
    msghdr packet{};
    packet.msg_iov = &into;
    packet.msg_iovlen = 1;
    packet.msg_control = control;
    packet.msg_controllen = sizeof control;
    ssize_t got;
    do
        got = ::recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof asked) || asked.magic_number != protocol::magic)
        return false;
    const cmsghdr* passed = CMSG_FIRSTHDR(&packet);
    if (passed && passed->cmsg_type == SCM_RIGHTS) {
        int fds[2];
        if (passed->cmsg_len != CMSG_LEN(sizeof fds))
            return false;
        std::memcpy(fds, CMSG_DATA(passed), sizeof fds);
        if (!shared.map(fds[0], fds[1]))
            return false;
    }
    return shared.holds(asked.have);
}

}  // namespace

int main(int count, char** words) {
    protocol::greeting said;
    if (count < 2) {
        std::fprintf(stderr, "usage: westerly-termhost LIBRARY [KEY=VALUE...]\n");
        return 2;
    }
    // What the library prints goes where the broker reads: standard error.
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    if (const char* unset = confine_to_reading())
        refuse(said, protocol::greeting_outcome::not_loaded, unset);
    const library used = load(words[1], said);
    configure(used, count - 2, words + 2, said);
    if (const char* unset = confine_to_computing())
        refuse(said, protocol::greeting_outcome::not_loaded, unset);
    if (!send_packet(&said, sizeof said))
        return 1;
    memory shared;
    view columns;
    protocol::question asked;
    while (receive(asked, shared)) {
        const westerly_term_request request{
            .size = sizeof request, .service = asked.service, .interactive = asked.interactive, .tasks = asked.tasks};
        protocol::reply answer;
        answer.number = asked.number;
        answer.result = used.evaluate(&request, &columns.of(shared, asked), asked.have.offers, shared.quantities());
        if (!send_packet(&answer, sizeof answer))
            return 1;
    }
    return 0;
}
