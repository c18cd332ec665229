#include "upstream/put.h"

#include <arpa/inet.h>

#include <cstring>

namespace upstream {

char* put_address(char* at, const runtime::PeerAddress& address) {
  if (address.family == AF_INET6) {
    ::inet_ntop(AF_INET6, address.bytes, at, kMostAddress);
    return at + std::strlen(at);
  }
  if (address.family != AF_INET) return put(at, "unix");
  for (int i = 0; i < 4; ++i) {
    if (i > 0) at = put(at, '.');
    at = put_number(at, address.bytes[i]);
  }
  return at;
}

}  // namespace upstream
