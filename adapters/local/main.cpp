// westerly-adapter-local: the provider "this machine". Started by westerlyd; speaks the adapter protocol.
#include "adapters/local/local_adapter.hpp"
#include "adapters/sdk/serve.hpp"

#include <malloc.h>

int main() {
    westerly::protocol_streams streams;
    ::mallopt(M_ARENA_MAX, 2);  // many threads, little work: one arena each would only cost memory
    westerly::local_adapter provider;
    westerly::serve_and_exit(provider, streams);
}
