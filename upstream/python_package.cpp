#include "upstream/python_package.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace upstream {
namespace {

struct Source {
  std::string_view file;
  std::string_view contents;
};

constexpr Source kSources[] = {
#include "python_sources.inc"
};

// One line, because it is seen in ps. The names it binds live in __main__: so few and so short.
constexpr std::string_view kLine =
    R"(import os;n={};i=iter(os.pread(n,os.fstat(n).st_size,0).decode().split("\0"));os.close(n);)"
    R"(s=dict(zip(i,i));exec(compile(s["bootstrap.py"],"<portherd/bootstrap.py>","exec"),)"
    R"({{"__name__":"_portherd.bootstrap","sources":s}}))";

}  // namespace

std::string python_bootstrap() {
  std::string blob;
  for (const Source& source : kSources) {
    if (!blob.empty()) blob += '\0';
    blob += source.file;
    blob += '\0';
    blob += source.contents;
  }
  return blob;
}

std::string_view python_source(std::string_view file) {
  const auto* const found = std::ranges::find(kSources, file, &Source::file);
  return found != std::end(kSources) ? found->contents : std::string_view();
}

std::vector<std::string> python_arguments(int blob_fd) { return {"-c", fmt::format(kLine, blob_fd)}; }

}  // namespace upstream
