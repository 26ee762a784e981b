// westerly-adapter-slurm: a centre under Slurm, through slurmrestd. Started by westerlyd; speaks the adapter protocol.
#include "adapters/sdk/serve.hpp"
#include "adapters/slurm/slurm_adapter.hpp"

#include <malloc.h>

int main() {
    westerly::protocol_streams streams;
    ::mallopt(M_ARENA_MAX, 2);  // many threads, little work: one arena each would only cost memory
    westerly::slurm_adapter provider;
    westerly::serve_and_exit(provider, streams);
}
