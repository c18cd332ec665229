// The text of one file that an operator wrote: read whole and bounded, with its lines at hand for messages.
// What the text means is not known here: see conf/load.h (TOML) and conf/env_file.h.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conf/origin.h"
#include "runtime/bytes.h"
#include "runtime/result.h"

namespace conf {

/// No settings by hand come near it; what is larger is not a settings file.
inline constexpr runtime::Bytes kLargestFile = runtime::Bytes{1} << 20;

class Source {
 public:
  /// `name` is what messages say; `folder` is absolute, what relative paths in the text are against, or
  /// empty.
  Source(std::string name, std::string folder, std::string text);

  /// Opens and reads a regular file of at most kLargestFile. The sentence of an Error has no file name in it.
  static runtime::Result<Source> open(std::string const& path);

  std::string const& name() const { return name_; }
  std::string const& folder() const { return folder_; }
  std::string_view text() const { return text_; }

  /// The place with its line, cut after kLongestLine.
  Origin at(std::size_t line, std::size_t column) const;

 private:
  std::string name_;
  std::string folder_;
  std::string text_;
  std::vector<std::size_t> line_starts_;  // offset of each line's first byte; never empty
};

/// `path` made absolute against `folder`; as it is when it is absolute, or when `folder` is empty. Links and
/// ".." stay.
std::string absolute(std::string_view folder, std::string_view path);

/// The folder that `path` lies in, absolute. Empty only when the working folder is gone.
std::string folder_of(std::string const& path);

}  // namespace conf
