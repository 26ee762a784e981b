#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace westerly {

/// When requests are meant to begin. Open loop: the k-th at begin + k / rate, whatever became of those before it;
/// closed loop: whenever somebody asks. At most `requests_max`, none meant to begin after `length`. Pure.
class pacer {
public:
    using clock = std::chrono::steady_clock;
    using moment = clock::time_point;
    enum class verdict : std::uint8_t { go, wait, over };
    struct answer {
        verdict what;
        moment at;  // go: the intended start; wait: when there is one
    };

    /// `rate_per_s` 0: closed. What is due at the end and not begun may still begin until `catch_up` later.
    pacer(double rate_per_s, std::chrono::duration<double> length, std::size_t requests_max,
          std::chrono::duration<double> catch_up)
        : rate_(rate_per_s), length_(length), catch_up_(catch_up), total_(requests_max) {
        if (rate_ > 0)  // those at 0, 1/rate, … below length
            total_ = std::min(total_, static_cast<std::size_t>(std::max(1.0, rate_ * length_.count())));
    }

    void begin(moment now) {
        begun_ = now;
        ends_ = now + to_clock(length_);
        gives_up_ = ends_ + to_clock(rate_ > 0 ? catch_up_ : std::chrono::duration<double>(0));
    }

    /// Nothing begins any more.
    void stop(moment now) { ends_ = gives_up_ = std::min(ends_, now); }

    /// What the next claim at `now` would give.
    answer peek(moment now) const {
        if (claimed_ >= total_ || now >= gives_up_)
            return {verdict::over, now};
        if (rate_ <= 0)
            return {verdict::go, now};
        const auto due = start_of(claimed_);
        return {due > now ? verdict::wait : verdict::go, due};
    }

    answer claim(moment now) {
        const auto given = peek(now);
        claimed_ += given.what == verdict::go;
        return given;
    }

    /// The intended starts up to `now` that nobody claimed.
    template <class Each>
    void each_unsent(moment now, Each each) const {
        if (rate_ <= 0)
            return;
        for (auto k = claimed_; k < total_ && start_of(k) < std::min(now, ends_); ++k)
            each(start_of(k));
    }

private:
    static clock::duration to_clock(std::chrono::duration<double> d) {
        return std::chrono::duration_cast<clock::duration>(d);
    }
    moment start_of(std::size_t k) const {
        return begun_ + to_clock(std::chrono::duration<double>(static_cast<double>(k) / rate_));
    }

    double rate_;
    std::chrono::duration<double> length_, catch_up_;
    std::size_t total_, claimed_ = 0;
    moment begun_{}, ends_{}, gives_up_{};
};

}  // namespace westerly
