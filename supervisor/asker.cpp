#include "supervisor/asker.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace supervisor {
namespace {

using Line = nlohmann::ordered_json;
using runtime::Code;

constexpr std::pair<Code, std::string_view> kWords[] = {
    {Code::kConfig, "config"},         {Code::kSystem, "system"},          {Code::kProtocol, "protocol"},
    {Code::kPermission, "permission"}, {Code::kNotRunning, "not_running"},
};

// Apps print what they like: what is no UTF-8 is replaced.
std::string text_of(const Line& line) {
  return line.dump(-1, ' ', false, Line::error_handler_t::replace);
}

}  // namespace

std::string refusal(const runtime::Error& why) {
  return text_of({{"ok", false}, {"code", word(why.code)}, {"sentence", why.text()}});
}

std::string_view word(Code code) {
  for (const auto& [known, word] : kWords) {
    if (known == code) return word;
  }
  return "system";
}

Code code_of(std::string_view word) {
  for (const auto& [code, known] : kWords) {
    if (known == word) return code;
  }
  return Code::kProtocol;
}

int Asker::connection() const {
  const auto there = conversation_.lock();
  return there ? there->connection() : -1;
}

void Asker::say(std::string_view sentence) const {
  tell({{"say", sentence}});
}

void Asker::tell(const Line& line) const {
  if (const auto there = conversation_.lock()) there->say(text_of(line));
}

void Asker::offer(const Line& line) const {
  if (const auto there = conversation_.lock()) there->offer(text_of(line));
}

void Asker::done(const Line& facts) const {
  Line line{{"ok", true}};
  line.update(facts);
  end(line, /*stays_open=*/false);
}

void Asker::done() const {
  end({{"ok", true}}, /*stays_open=*/false);
}

void Asker::done_and_wait_for_our_end() const {
  end({{"ok", true}}, /*stays_open=*/true);
}

void Asker::refuse(const runtime::Error& why) const {
  if (const auto there = conversation_.lock()) there->end(refusal(why), /*stays_open=*/false);
}

void Asker::end(const Line& line, bool stays_open) const {
  if (const auto there = conversation_.lock()) there->end(text_of(line), stays_open);
}

}  // namespace supervisor
