"""Signals are remembered until a whole step is done; a second one ends at once."""

import os
import signal
import time

import pytest

from nnlab.interrupt import Interrupt, Interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_until_asked(number):
    interrupt = Interrupt()
    with interrupt.listen():
        interrupt.check()
        assert not interrupt.requested
        os.kill(os.getpid(), number)
        assert interrupt.requested
        with pytest.raises(Interrupted, match=number.name) as raised:
            interrupt.check()
    assert raised.value.exit_status == 128 + number


def test_the_handlers_before_are_the_handlers_after():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    interrupt = Interrupt()
    with interrupt.listen():
        assert signal.getsignal(signal.SIGINT) is not before[0]
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_of_another_is_replaced():
    interrupt, heard = Interrupt(), []
    with interrupt.listen():
        signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
        interrupt.take_over()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.requested
    assert heard == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(second):
    process = os.fork()
    if process == 0:
        interrupt = Interrupt()
        with interrupt.listen():
            os.kill(os.getpid(), signal.SIGTERM)
            interrupt.take_over()  # comes too late
            os.kill(os.getpid(), second)
            time.sleep(10)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -second


def test_it_is_no_exception_that_a_library_would_swallow():
    assert not issubclass(Interrupted, Exception)


def test_a_stop_while_the_model_is_tried_is_a_stop(nnlab, monkeypatch, tmp_path):
    def stop(self, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr("nnlab.model.mlp.MLP.measure", stop)
    handler = signal.getsignal(signal.SIGINT)
    try:
        answer = nnlab("model=mlp")
    finally:
        signal.signal(signal.SIGINT, handler)  # Lightning ignores it from then on
    assert answer.status == 130
    assert answer.err.endswith("nnlab: stopped before anything was written\n")
    assert not (tmp_path / "outputs").exists()
