from PySide6.QtCore import QThread
from PySide6.QtTest import QSignalSpy

from gui.commands import EstimateCost, OpenCorpus, Shutdown
from gui.events import CorpusOpened, CostEstimated, OpeningEnded
from gui.worker import Worker
from nanograd.text.source import TextSource


def test_a_worker_runs_the_engine_in_its_own_thread_until_shutdown(qtbot, tmp_path, text_file):
    worker = Worker(tmp_path)
    with qtbot.waitSignal(worker.events_ready, timeout=30_000):
        worker.start()
        worker.post(OpenCorpus(source=TextSource(paths=(text_file,))))
    told = worker.take_events()
    worker.post(Shutdown())
    assert worker.wait(30_000)
    assert [type(event) for event in told + worker.take_events()] == [CorpusOpened, OpeningEnded]
    assert worker.take_events() == []


def test_events_are_announced_once_until_they_are_taken(qtbot, tmp_path, small_settings):
    worker = Worker(tmp_path)
    announced = QSignalSpy(worker.events_ready)
    for _ in range(3):
        worker.post(EstimateCost(settings=small_settings))
    worker.post(Shutdown())
    worker.start()
    assert worker.wait(30_000)
    qtbot.waitUntil(lambda: announced.count() == 1)
    assert [type(event) for event in worker.take_events()] == [CostEstimated] * 3
    assert worker.thread() is QThread.currentThread()


def test_events_of_a_thread_that_has_ended_can_still_be_taken(tmp_path, text_file):
    worker = Worker(tmp_path)
    worker.post(OpenCorpus(source=TextSource(paths=(text_file,))))
    worker.post(Shutdown())
    worker.start()
    assert worker.wait(30_000)
    assert [type(event) for event in worker.take_events()] == [CorpusOpened, OpeningEnded]
