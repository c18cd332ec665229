#include "supervisor/journey.h"

#include <fmt/format.h>

namespace supervisor {

std::string Journey::text() const {
  std::string text;
  for (const Step& step : steps_) {
    text += fmt::format("{}{} +{}ms", text.empty() ? "" : ", ", step.name, since_begun(step.at).count());
  }
  return text;
}

}  // namespace supervisor
