// Capabilities of the calling thread (capabilities(7)), by the system calls themselves: without a lock or an allocation, so that all of
// it may be called between fork and exec. Who keeps which, and when: supervisor/spawn.h, proxy/fence.h.
#pragma once

namespace runtime {

/// Before the bounding set is emptied and the user changed: this one, where we have it, may be kept beyond both. Nothing else is: what
/// there is after the change of user is for keep_capability() to say.
void take_capability_along(unsigned capability);

/// After the change of user: none but this one is left, and that outlives exec, where it was taken along.
void keep_capability(unsigned capability);

/// No exec gains any from now on, not even root's. Takes CAP_SETPCAP: who has not got that has none to be kept from, or loses them by
/// exec, or is root without it (in our systemd unit), whom no_new_privs keeps from them.
void empty_bounding_set();

/// None is left, and none can be raised again. False: errno says why.
bool give_up_capabilities();

}  // namespace runtime
