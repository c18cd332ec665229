// A member function bound to its object: two words, no allocation, no ownership. The object must outlive the call.
#pragma once

namespace runtime {

template <class... Args>
class Call {
 public:
  Call() = default;
  Call(void* who, void (*what)(void*, Args...)) : who_(who), what_(what) {}

  explicit operator bool() const { return what_ != nullptr; }
  void operator()(Args... args) const { what_(who_, args...); }

 private:
  void* who_ = nullptr;
  void (*what_)(void*, Args...) = nullptr;
};

namespace detail {
template <auto Method, class T, class... Args>
Call<Args...> bind_as(T* who, void (T::*)(Args...)) {
  return {who, [](void* self, Args... args) { (static_cast<T*>(self)->*Method)(args...); }};
}
}  // namespace detail

/// bind<&Client::on_readable>(this)
template <auto Method, class T>
auto bind(T* who) {
  return detail::bind_as<Method, T>(who, Method);
}

}  // namespace runtime
