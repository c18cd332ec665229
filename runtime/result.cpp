#include "runtime/result.h"

#include <cstring>

namespace runtime {

std::string Error::text() const {
  return number == 0 ? sentence : sentence + ": " + std::strerror(number);
}

}  // namespace runtime
