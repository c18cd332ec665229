// The folder of `[tls] certificates`: which NAME.crt have a readable NAME.key beside them. Only names and
// permissions; what is in the files is for OpenSSL (proxy/tls_context.h).
#pragma once
#include <string>
#include <vector>

namespace conf {

struct Certificates {
  std::vector<std::string> names;     ///< complete pairs, sorted, without the suffix
  std::vector<std::string> problems;  ///< a sentence for each .crt that is not one
};

/// `folder` can be read. Hidden files are left out.
Certificates look_for_certificates(std::string const& folder);

}  // namespace conf
