#include "adapters/sdk/line_stream.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace westerly {

result<std::optional<std::string_view>> line_reader::next() {
    constexpr std::size_t chunk = 64 * 1024;
    for (;;) {
        const auto end = buffer_.find('\n', scanned_);
        if (end != std::string::npos) {
            const std::string_view line(buffer_.data() + start_, end - start_);
            start_ = scanned_ = end + 1;
            if (line.size() > line_max_)
                return fail(errc::too_large, "a line is longer than " + std::to_string(line_max_) + " bytes");
            return line;
        }
        buffer_.erase(0, start_);
        start_ = 0;
        scanned_ = buffer_.size();
        if (buffer_.size() > line_max_)
            return fail(errc::too_large, "a line is longer than " + std::to_string(line_max_) + " bytes");
        if (buffer_.empty() && buffer_.capacity() > 4 * chunk)
            buffer_.shrink_to_fit();  // after a big message: an idle adapter stays small
        buffer_.resize(scanned_ + chunk);
        const auto got = ::read(fd_, buffer_.data() + scanned_, chunk);
        const int number = errno;
        buffer_.resize(scanned_ + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got > 0 || (got < 0 && number == EINTR))
            continue;
        if (got < 0)
            return fail(errc::invalid, "the stream cannot be read: " + std::system_category().message(number));
        if (!buffer_.empty())
            return fail(errc::invalid, "the stream ends inside a line");
        return std::optional<std::string_view>();
    }
}

bool line_writer::send(std::string line) {
    line += '\n';
    const std::lock_guard hold(lock_);
    for (std::size_t done = 0; done < line.size() && !broken_;) {
        const auto wrote = ::write(fd_, line.data() + done, line.size() - done);
        if (wrote > 0)
            done += static_cast<std::size_t>(wrote);
        else if (wrote < 0 && errno != EINTR)
            broken_ = true;
    }
    return !broken_;
}

}  // namespace westerly
