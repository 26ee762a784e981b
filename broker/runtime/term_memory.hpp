#pragma once

#include "broker/domain/foreign_term.hpp"
#include "broker/providers/process_spawn.hpp"
#include "broker/runtime/term_messages.hpp"
#include "broker/support/result.hpp"

#include <span>

namespace westerly {

/// The memory that the broker shares with one host: the columns, which only the broker can write, and the quantities.
/// Neither side can make it smaller under the other (a sealed memfd). It grows by a new pair.
class term_memory {
public:
    term_memory() = default;
    ~term_memory();
    term_memory(const term_memory&) = delete;
    term_memory& operator=(const term_memory&) = delete;

    /// Writes a table (unless it is the one that is there) and a request. True: the pair is new, and the host has to be
    /// given it. Errors: overloaded, when the system gives no memory.
    result<bool> write(const std::shared_ptr<const score_table>& table, const score_request& request);

    const term_protocol::counts& have() const noexcept { return have_; }
    std::uint64_t table_number() const noexcept { return table_number_; }
    int columns() const noexcept { return columns_.fd.get(); }
    int quantities() const noexcept { return quantities_.fd.get(); }
    /// What the host wrote, if it did.
    std::span<const double> read() const noexcept {
        return {static_cast<const double*>(quantities_.at), static_cast<std::size_t>(have_.offers)};
    }

private:
    struct piece {
        unique_fd fd;
        void* at = nullptr;
        std::size_t size = 0;
    };
    static result<void> make(piece& into, std::size_t size, bool read_only_elsewhere);
    static void drop(piece& of) noexcept;
    void write_table(const score_table& table);
    void write_request(const score_table& table, const score_request& request);

    piece columns_, quantities_;
    std::shared_ptr<const score_table> table_;
    std::uint64_t table_number_ = 0;
    term_protocol::counts have_;
};

}  // namespace westerly
