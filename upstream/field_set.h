// A set of the fields we know, as bits: header knowledge as data.
#pragma once
#include <cstdint>
#include <initializer_list>

#include "upstream/message.h"

namespace upstream {

class FieldSet {
 public:
  constexpr FieldSet(std::initializer_list<FieldId> ids) {
    for (const FieldId id : ids) bits_ |= bit(id);
  }
  constexpr bool has(FieldId id) const { return (bits_ & bit(id)) != 0; }

 private:
  static constexpr std::uint64_t bit(FieldId id) { return std::uint64_t{1} << static_cast<unsigned>(id); }
  std::uint64_t bits_ = 0;
};
static_assert(static_cast<unsigned>(FieldId::kSecWebsocketAccept) < 64, "the last one has a bit");

}  // namespace upstream
