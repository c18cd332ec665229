#include "supervisor/certificate_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "conf/certificates.h"
#include "runtime/channel.h"
#include "runtime/log.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Fd;

runtime::Result<CertificateFiles> open_certificates(const std::string& folder) {
  CertificateFiles files;
  if (folder.empty()) return files;
  conf::Certificates found = conf::look_for_certificates(folder);
  for (const std::string& problem : found.problems) {
    runtime::log(runtime::Level::kError, "a certificate is left out",
                 {{"folder", folder}, {"error", problem}});
  }
  files.names = std::move(found.names);
  // One message carries the whole set, so that it is swapped at once.
  constexpr std::size_t kMost = runtime::Channel::kMaxFds / 2;
  if (files.names.size() > kMost) {
    return fail(Code::kConfig, fmt::format("{} has {} certificates; at most {} can be used", folder,
                                           files.names.size(), kMost));
  }
  for (const std::string& name : files.names) {
    for (const char* suffix : {"crt", "key"}) {
      const std::string path = fmt::format("{}/{}.{}", folder, name, suffix);
      // Nobody is waited for, should it have become a FIFO since it was looked at.
      Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
      if (!fd) return fail(Code::kSystem, "cannot open " + path, errno);
      files.fds.push_back(std::move(fd));
    }
  }
  return files;
}

}  // namespace supervisor
