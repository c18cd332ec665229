#include "upstream/message.h"

namespace upstream {

void RequestHead::clear() {
  Fields kept = std::move(fields);
  kept.clear();
  *this = RequestHead();
  fields = std::move(kept);
}

void ResponseHead::clear() {
  Fields kept = std::move(fields);
  kept.clear();
  *this = ResponseHead();
  fields = std::move(kept);
}

}  // namespace upstream
