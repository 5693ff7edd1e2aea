// How a host stops work that takes long. Loops whose length others decide call CheckForInterrupts
// each time around; what the host has put there returns, or throws what is no Error.
#pragma once

namespace rampart {

inline void (*interrupt_check)() = nullptr;  // set before work begins; nullptr: nothing stops it

inline void CheckForInterrupts() {
    if (interrupt_check != nullptr) interrupt_check();
}

}  // namespace rampart
