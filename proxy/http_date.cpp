#include "proxy/http_date.h"

#include <array>
#include <chrono>

#include "runtime/text.h"

namespace proxy {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Eats a text from its front; once something was not as it must be, all that follows is wrong, too.
class Eater {
 public:
  explicit Eater(std::string_view text) : rest_(text) {}

  void literal(std::string_view wanted) {
    if (rest_.starts_with(wanted)) return rest_.remove_prefix(wanted.size());
    is_good_ = false;
  }
  /// The place in the list of the one that comes next.
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& words) {
    for (unsigned i = 0; i < N; ++i) {
      if (!rest_.starts_with(words[i])) continue;
      rest_.remove_prefix(words[i].size());
      return i;
    }
    is_good_ = false;
    return 0;
  }
  int number(std::size_t digits) {
    const auto value = rest_.size() < digits ? std::nullopt : runtime::parse_number(rest_.substr(0, digits));
    is_good_ = is_good_ && value.has_value();
    if (!is_good_) return 0;
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  bool has(char c) const { return rest_.starts_with(c); }
  bool is_done() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

struct Moment {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;  // month from 1
};

void eat_time(Eater& eater, Moment& moment) {
  moment.hour = eater.number(2);
  eater.literal(":");
  moment.minute = eater.number(2);
  eater.literal(":");
  moment.second = eater.number(2);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool eat_fixdate(Eater eater, Moment& moment) {
  eater.one_of(kDays);
  eater.literal(", ");
  moment.day = eater.number(2);
  eater.literal(" ");
  moment.month = static_cast<int>(eater.one_of(kMonths)) + 1;
  eater.literal(" ");
  moment.year = eater.number(4);
  eater.literal(" ");
  eat_time(eater, moment);
  eater.literal(" GMT");
  return eater.is_done();
}

/// RFC 9110 5.6.7: a year of two digits that seems to be more than 50 years ahead is the last one with these
/// digits.
int whole_year(int two_digits) {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const int now = static_cast<int>(std::chrono::year_month_day(today).year());
  const int year = now / 100 * 100 + two_digits;
  return year > now + 50 ? year - 100 : year;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT", RFC 850
bool eat_rfc850(Eater eater, Moment& moment) {
  eater.one_of(kLongDays);
  eater.literal(", ");
  moment.day = eater.number(2);
  eater.literal("-");
  moment.month = static_cast<int>(eater.one_of(kMonths)) + 1;
  eater.literal("-");
  moment.year = whole_year(eater.number(2));
  eater.literal(" ");
  eat_time(eater, moment);
  eater.literal(" GMT");
  return eater.is_done();
}

/// "Sun Nov  6 08:49:37 1994", asctime(3)
bool eat_asctime(Eater eater, Moment& moment) {
  eater.one_of(kDays);
  eater.literal(" ");
  moment.month = static_cast<int>(eater.one_of(kMonths)) + 1;
  eater.literal(" ");
  const bool is_short = eater.has(' ');
  if (is_short) eater.literal(" ");
  moment.day = eater.number(is_short ? 1 : 2);
  eater.literal(" ");
  eat_time(eater, moment);
  eater.literal(" ");
  moment.year = eater.number(4);
  return eater.is_done();
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  Moment moment;
  const Eater eater(text);
  if (!eat_fixdate(eater, moment) && !eat_rfc850(eater, moment) && !eat_asctime(eater, moment))
    return std::nullopt;
  const year_month_day date(year(moment.year), month(static_cast<unsigned>(moment.month)),
                            day(static_cast<unsigned>(moment.day)));
  // A leap second is one (RFC 9110 5.6.7 takes it from RFC 5322); the clock of POSIX has none, so it is the
  // next second.
  if (!date.ok() || moment.hour > 23 || moment.minute > 59 || moment.second > 60) return std::nullopt;
  const seconds time = sys_days(date).time_since_epoch() + hours(moment.hour) + minutes(moment.minute);
  return time.count() + moment.second;
}

}  // namespace proxy
