#include "broker/runtime/term_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

/// A new pair is larger than needed, so that a few more offers do not ask for the next one.
constexpr std::size_t spare_share = 4;
constexpr std::size_t least_bytes = 64 << 10;

error no_memory(const char* what) {
    return fail(errc::overloaded,
                std::string("cannot share memory with a term's host: ") + what + ": " + std::strerror(errno));
}

template <class T>
char* put_column(char* at, const std::vector<T>& column) {
    if (!column.empty())  // then data() may be null, which memcpy must not be given
        std::memcpy(at, column.data(), column.size() * sizeof(T));
    return at + column.size() * sizeof(T);
}

term_protocol::counts counts_of(const score_table& table) {
    term_protocol::counts have;
    have.names = table.names.size();
    for (const std::string& name : table.names)
        have.name_bytes += name.size() + 1;
    have.sites = table.sites.site.size();
    have.shapes = table.shapes.vcpus.size();
    have.offers = table.offers.site.size();
    return have;
}

}  // namespace

term_memory::~term_memory() {
    drop(columns_);
    drop(quantities_);
}

void term_memory::drop(piece& of) noexcept {
    if (of.at)
        ::munmap(of.at, of.size);
    of.at = nullptr;
    of.fd = unique_fd();
}

result<void> term_memory::make(piece& into, std::size_t needed, bool read_only_elsewhere) {
    drop(into);
    into.size = std::max(needed + needed / spare_share, least_bytes);
    into.fd = unique_fd(::memfd_create("westerly-term", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (into.fd.get() < 0)
        return no_memory("memfd_create");
    if (::ftruncate(into.fd.get(), static_cast<off_t>(into.size)) != 0)
        return no_memory("ftruncate");
    void* const mapped = ::mmap(nullptr, into.size, PROT_READ | PROT_WRITE, MAP_SHARED, into.fd.get(), 0);
    if (mapped == MAP_FAILED)
        return no_memory("mmap");
    into.at = mapped;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | (read_only_elsewhere ? F_SEAL_FUTURE_WRITE : 0) | F_SEAL_SEAL;
    if (::fcntl(into.fd.get(), F_ADD_SEALS, seals) != 0)
        return no_memory("sealing");
    return {};
}

result<bool> term_memory::write(const std::shared_ptr<const score_table>& table, const score_request& request) {
    const term_protocol::counts have = counts_of(*table);
    const std::size_t bytes = term_protocol::layout_of(have).end;
    const std::size_t quantity_bytes = have.offers * sizeof(double);
    const bool fresh = !columns_.at || bytes > columns_.size || quantity_bytes > quantities_.size;
    if (fresh) {
        table_.reset();
        for (const auto& made : {make(columns_, bytes, true), make(quantities_, quantity_bytes, false)})
            if (!made) {
                drop(columns_);
                return made.error();
            }
    }
    have_ = have;
    if (table_ != table) {
        write_table(*table);
        table_ = table;
        ++table_number_;
    }
    write_request(*table, request);
    return fresh;
}

/// In the order of term_messages.hpp; what write_request writes is passed over.
void term_memory::write_table(const score_table& table) {
    const auto at = term_protocol::layout_of(have_);
    char* const base = static_cast<char*>(columns_.at);
    char* next = base + at.sites_real;
    for (const auto* column :
         {&table.sites.latitude, &table.sites.longitude, &table.sites.pue, &table.sites.green_share})
        next = put_column(next, *column);
    next = base + at.shapes_real;
    for (const auto* column : {&table.shapes.vcpus, &table.shapes.memory_gib, &table.shapes.cards, &table.shapes.idle_w,
                               &table.shapes.max_w})
        next = put_column(next, *column);
    put_column(put_column(base + at.offers_real, table.offers.price_per_h), table.offers.units_total);
    next = base + at.sites_number;
    for (const auto* column : {&table.sites.provider, &table.sites.site, &table.sites.region, &table.sites.jurisdiction,
                               &table.sites.grid_zone})
        next = put_column(next, *column);
    put_column(put_column(base + at.shapes_number, table.shapes.architecture), table.shapes.accelerator);
    put_column(put_column(base + at.offers_number, table.offers.site), table.offers.shape);
    next = base + at.names;
    for (const std::string& name : table.names) {
        std::memcpy(next, name.c_str(), name.size() + 1);
        next += name.size() + 1;
    }
}

void term_memory::write_request(const score_table& table, const score_request& request) {
    const auto at = term_protocol::layout_of(have_);
    char* const base = static_cast<char*>(columns_.at);
    char* next = base + at.sites_real + 4 * table.sites.pue.size() * sizeof(double);
    for (const auto* column : {&request.carbon_g_per_kwh, &request.rtt_ms, &request.data_movement_s})
        next = put_column(next, *column);
    next = base + at.shapes_real + 5 * table.shapes.vcpus.size() * sizeof(double);
    for (const auto* column : {&request.units, &request.run_hours, &request.energy_kwh})
        next = put_column(next, *column);
}

}  // namespace westerly
