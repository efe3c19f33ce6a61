// SPDX-License-Identifier: MIT
//
// Takes the addresses of free and operator delete in code; built for a fixed address, it has jumps to them that look
// like definitions of its own (unseen.sh). One thread.
#include <cstdlib>
#include <new>

int main() {
  void (*volatile give_back)(void *) = std::free;
  give_back(std::malloc(1));
  give_back = ::operator delete;
  give_back(::operator new(1));
  return 0;
}
