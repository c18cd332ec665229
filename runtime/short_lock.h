// A mutex for what is held for less than a microsecond, for std::scoped_lock.
//
// Who meets it held looks a few times more before it sleeps. A sleep and a wake-up are two system calls and a context switch:
// many times what the lock is held for.
#pragma once
#include <pthread.h>

namespace runtime {

class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;
  ~ShortLock() { pthread_mutex_destroy(&mutex_); }

  // Neither can fail: the mutex is neither recursive nor robust (pthread_mutex_lock(3)).
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
};

}  // namespace runtime
