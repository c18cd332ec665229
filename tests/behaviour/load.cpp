#include "load.h"

namespace play {
namespace {

std::uint64_t number_before(const std::string& text, std::size_t from, const std::string& word) {
  const std::size_t at = text.find(" " + word, from);
  REQUIRE_MESSAGE(at != std::string::npos, "no '" << word << "' in: " << text);
  std::size_t begin = at;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
  return std::stoull(text.substr(begin, at - begin));
}

}  // namespace

Load to_load(const Ended& h2load) {
  REQUIRE_MESSAGE(h2load.status == 0, h2load.err << h2load.out);
  const std::size_t requests = h2load.out.find("requests: "), codes = h2load.out.find("status codes: ");
  REQUIRE_MESSAGE(codes != std::string::npos, h2load.out);
  return {.succeeded = number_before(h2load.out, requests, "succeeded"),
          .failed = number_before(h2load.out, requests, "failed"),
          .answered_2xx = number_before(h2load.out, codes, "2xx")};
}

Clients::Clients(const Supervisor& portherd, std::size_t count, std::string path) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, path, port = portherd.port()] {
      while (!is_enough_) ++(get(port, path).status == 200 ? served : failed);
    });
  }
}

void Clients::stop() {
  is_enough_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace play
