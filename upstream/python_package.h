// What a Python worker runs before the app: the sources of upstream/python/, carried in this binary, and the
// arguments that make any CPython run them. How they are started: the banner of upstream/python/bootstrap.py.
// What the worker and the front say to each other then is upstream/worker_protocol.h. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace upstream {

/// The blob that the spawned interpreter reads: file name NUL contents NUL file name NUL contents, and so on.
/// The same for every worker; meant to be put into a sealed memfd once.
std::string python_bootstrap();

/// One of those files; empty: there is none of that name.
std::string_view python_source(std::string_view file);

/// The arguments after the interpreter. `blob_fd` is the blob's descriptor in the child: it is read by
/// position, so its offset does not matter and may be shared, and closed before the app is imported.
std::vector<std::string> python_arguments(int blob_fd);

}  // namespace upstream
