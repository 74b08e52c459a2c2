"""Where a Dask cluster is lost, a job waits for as long as the documentation says, and says why."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import wellgram as wg
from wellgram.distributed import each, using, watched_client
from wellgram.errors import ClusterError, NotEnoughMemory

distributed = pytest.importorskip("distributed", reason="distributed is not installed")


@pytest.fixture
def client(monkeypatch):
    """A client of one worker, which is a thread; where there is none, a second is waited."""
    monkeypatch.setattr(watched_client, "WAIT_SECONDS", 1)
    monkeypatch.setattr(watched_client, "_LOOK_SECONDS", 0.2)
    options = {
        "processes": False,
        "protocol": "tcp://",
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
    }
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def doubled(pieces=3, **options):
    return list(each(_twice, range(pieces), **options))


def _twice(number, *shared):
    return 2 * number


def test_workers_that_are_gone_and_do_not_come_back(client):
    with using(client):
        client.cluster.scale(0)
        with pytest.raises(ClusterError, match=r"all workers of .*tcp://\S+ are gone, and none ca"):
            doubled()


def test_a_worker_that_comes_in_time_is_waited_for(client, monkeypatch):
    monkeypatch.setattr(watched_client, "WAIT_SECONDS", 60)
    with using(client):
        client.cluster.scale(0)
        back = threading.Timer(1, client.cluster.scale, [1])
        back.start()
        assert doubled() == [0, 2, 4]
        back.join()


def test_workers_that_are_lost_while_they_work(client):
    """None is left to end the pieces; Dask itself would wait for ever."""
    with using(client), pytest.raises(ClusterError, match="are gone"):
        list(each(_lose_the_worker, range(3)))


def _lose_the_worker(_):
    worker = distributed.get_worker()
    worker.loop.add_callback(worker.close, nanny=False)
    time.sleep(1)  # until it is closed


def test_workers_that_are_paused_for_want_of_memory(client):
    def paused(dask_worker):
        from distributed.core import Status

        dask_worker.memory_manager.memory_pause_fraction = False
        dask_worker.status = Status.paused

    client.run(paused)
    with using(client), pytest.raises(ClusterError, match=r"are paused, .*limit is [\d.,]+ GB\)"):
        doubled()


def test_ctrl_c_ends_a_wait(client, monkeypatch):
    monkeypatch.setattr(watched_client, "WAIT_SECONDS", 60)
    with using(client):
        client.cluster.scale(0)
        stop = threading.Timer(1, os.kill, [os.getpid(), signal.SIGINT])
        stop.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            doubled()
        assert time.monotonic() - began < 10


def test_what_is_shared_and_larger_than_a_worker_is_not_sent(client):
    with (
        using(client),
        pytest.raises(NotEnoughMemory, match=r"needs 1,000,000\.00 GB .* a limit of [\d.,]+ GB"),
    ):
        doubled(shared=[_Large()])


class _Large:
    nbytes = 10**15

    def __reduce__(self):
        raise AssertionError("it was sent")


def test_what_is_lost_again_and_again(client, monkeypatch):
    tried = []

    def lost(*args, **options):
        tried.append(1)
        raise KeyError("tcp://127.0.0.1:1")

    monkeypatch.setattr(client, "replicate", lost)
    with using(client), pytest.raises(ClusterError, match=r"lost with them 5 times \(KeyError"):
        doubled(shared=["rows"])
    assert len(tried) == 5


def test_what_cannot_be_sent_is_not_taken_for_a_loss(client):
    with using(client), pytest.raises(TypeError, match="Could not serialize"):
        doubled(shared=[threading.Lock()])


def test_a_piece_that_kills_workers(client):
    def killed(number):
        """As the scheduler raises it; its allowed-failures are 3."""
        raise distributed.KilledWorker("task", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)

    with using(client), pytest.raises(ClusterError, match="4 workers were lost one after another"):
        list(each(killed, range(3)))


def test_a_client_that_is_closed(client):
    client.close()
    with pytest.raises(ClusterError, match=r"scheduler is lost .*\(the client is closed\)"):
        wg.neighbors(np.eye(9), 2, client=client)


def test_no_pieces_are_no_fault(client):
    with using(client) as _:
        assert wg.distributed.team().each(_twice, []) == []
