"""Calls a second of square(n) with a window of calls in flight, by Ray, Dask distributed or joblib.

joblib puts many calls into one message on its own account; `joblib` is without that, `joblib-batches` with it.

Arguments: peer, number of workers, calls in flight, milliseconds of a round, rounds.
Prints one line of JSON: the rate of each round after a first one that warms up.
"""

import json
import os
import sys
import time


def square(n):
    return n * n


def rounds_of_ray(workers, in_flight, seconds, rounds):
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    remote = ray.remote(square)
    for _ in range(rounds):
        start, started, done = time.perf_counter(), 0, 0
        window = {}
        while True:
            while len(window) < in_flight and time.perf_counter() - start < seconds:
                window[remote.remote(started)] = started
                started += 1
            if not window:
                break
            ready, _ = ray.wait(list(window), num_returns=1)
            for reference in ready:
                n = window.pop(reference)
                assert ray.get(reference) == n * n
                done += 1
        yield done / (time.perf_counter() - start)
    ray.shutdown()


def rounds_of_distributed(workers, in_flight, seconds, rounds):
    from distributed import Client, LocalCluster, as_completed

    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    client = Client(cluster)
    number = 0
    for _ in range(rounds):
        start, done = time.perf_counter(), 0
        # Without `pure=False` equal inputs would not be computed again.
        submit = lambda n: client.submit(square, n, pure=False)
        window = as_completed([submit(n) for n in range(in_flight)], with_results=True)
        for _, result in window:
            done += 1
            if time.perf_counter() - start < seconds:
                window.add(submit(number := number + 1))
        yield done / (time.perf_counter() - start)
    client.close()
    cluster.close()


def rounds_of_joblib(workers, in_flight, seconds, rounds, batch_size=1):
    from joblib import Parallel, delayed

    options = dict(backend="loky", pre_dispatch=in_flight, batch_size=batch_size, return_as="generator")
    with Parallel(n_jobs=workers, **options) as parallel:
        for _ in range(rounds):
            start, done = time.perf_counter(), 0

            def inputs():
                n = 0
                while time.perf_counter() - start < seconds:
                    yield delayed(square)(n)
                    n += 1

            for n, result in enumerate(parallel(inputs())):
                assert result == n * n
                done += 1
            yield done / (time.perf_counter() - start)


def rounds_of_joblib_batches(workers, in_flight, seconds, rounds):
    return rounds_of_joblib(workers, in_flight, seconds, rounds, batch_size="auto")


def main():
    peer, workers, in_flight, milliseconds, rounds = sys.argv[1], *map(int, sys.argv[2:])
    make = {
        "ray": rounds_of_ray,
        "distributed": rounds_of_distributed,
        "joblib": rounds_of_joblib,
        "joblib-batches": rounds_of_joblib_batches,
    }[peer]
    rates = list(make(workers, in_flight, milliseconds / 1000, rounds + 1))[1:]
    # What the peers leave running is ended by whoever started this.
    print(json.dumps(rates), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
