import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.interfaces.serving.administration import Administration
from ceir.interfaces.serving.metrics import MetricsBoard, MetricsBoardError

BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
QUESTION = Question(1)


class Told:
    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path
        self.status, self.kind, self.body = 0, "", b""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.kind, self.body = status, dict(headers)["content-type"], body


def ask(administration: Administration, path: str, method: str = "GET") -> Told:
    told = Told(method, path)
    asyncio.run(administration.__rsgi__(told, told))
    return told


def samples(board: MetricsBoard, now: float = 0) -> dict[str, float]:
    text = ask(Administration(lambda: None, lambda: board.metrics(now)), "/metrics").body.decode()
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_what_workers_count_is_summed_by_interface_status_and_reason(tmp_path: Path) -> None:
    board = MetricsBoard(tmp_path / "board", 2, ["n17", "s13"])
    for _ in range(3):
        board.observer(0, "n17")(BLOCKED, 0.000004, QUESTION)
    other = MetricsBoard(tmp_path / "board", 2, ["n17", "s13"])
    other.observer(1, "n17")(Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY), 0.003, QUESTION)
    other.observer(1, "s13")(Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT), 9.0, QUESTION)
    other.refused(1, "n17")(404)
    other.snapshot_in_force(1, 7, 900, 1500)
    told = samples(board, now=1000)
    assert told["ceir_equipment_check_answers_total['blocked', 'identity', 'n17']"] == 4
    assert told["ceir_equipment_check_answers_total['default', 's13', 'unknown']"] == 1
    assert told["ceir_equipment_check_refusals_total['404', 'n17']"] == 1
    assert told["ceir_equipment_check_seconds_count['n17']"] == 4
    assert told["ceir_equipment_check_seconds_bucket['5e-06', 'n17']"] == 3
    assert told["ceir_equipment_check_seconds_bucket['0.005', 'n17']"] == 4
    assert told["ceir_equipment_check_seconds_bucket['0.1', 's13']"] == 0
    assert told["ceir_equipment_check_seconds_sum['n17']"] == pytest.approx(0.003012)
    assert told["ceir_snapshot_age_seconds['1']"] == 100
    assert told["ceir_snapshot_left_seconds['1']"] == 500
    assert told["ceir_snapshot_sequence['1']"] == 7


def test_sightings_are_summed_over_workers_and_touch_nothing_else(tmp_path: Path) -> None:
    board = MetricsBoard(tmp_path / "board", 2, ["n17"])
    board.snapshot_in_force(0, 7, 900, 1500)
    before = samples(board, now=1000)
    assert before["ceir_sightings_written_total[]"] == before["ceir_sightings_dropped_total[]"] == 0
    board.sightings(0)(5, 0)
    board.sightings(0)(2, 1)
    MetricsBoard(tmp_path / "board", 2, ["n17"]).sightings(1)(10, 3)
    told = samples(board, now=1000)
    assert told.pop("ceir_sightings_written_total[]") == 17
    assert told.pop("ceir_sightings_dropped_total[]") == 4
    assert told == {name: value for name, value in before.items() if "sightings" not in name}


def test_counters_do_not_fall_when_a_worker_is_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        board = MetricsBoard(tmp_path / "board", 1, ["map"])
        board.observer(0, "map")(BLOCKED, 0.001, QUESTION)
    assert samples(board)["ceir_equipment_check_answers_total['blocked', 'identity', 'map']"] == 2


def test_a_board_made_for_something_else_is_refused(tmp_path: Path) -> None:
    MetricsBoard(tmp_path / "board", 1, ["n17"]).close()
    with pytest.raises(MetricsBoardError):
        MetricsBoard(tmp_path / "board", 2, ["n17"])


def test_health_is_one_thing_and_readiness_another() -> None:
    reason: list[str | None] = ["the snapshot has expired"]
    administration = Administration(lambda: reason[0], list)
    assert ask(administration, "/healthz").status == 200
    told = ask(administration, "/readyz")
    assert (told.status, told.body) == (503, b"the snapshot has expired\n")
    reason[0] = None
    assert ask(administration, "/readyz").status == 200
    assert ask(administration, "/readyz", "HEAD").body == b""
    assert ask(administration, "/readyz", "POST").status == 405
    assert ask(administration, "/").status == 404
