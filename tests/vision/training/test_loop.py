"""The loop on drawn shelves: it learns, it continues where it stopped, it leaves doubt alone."""

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
# Found, not imported: importing it before our own settings would let it write and talk.
if find_spec("ultralytics") is None:
    pytest.skip("training is not installed", allow_module_level=True)

from vision.training.augment import Variation  # noqa: E402
from vision.training.errors import CheckpointUnfit  # noqa: E402
from vision.training.feeding import decode_photos, make_batch  # noqa: E402
from vision.training.loop import CHECKPOINT_NAME, Trainer, train  # noqa: E402
from vision.training.network import build_network  # noqa: E402
from vision.training.plan import TrainingPlan  # noqa: E402
from vision.training.sources import read_sources  # noqa: E402

SMALL = Variation(crop_px=64, long_side_px_min=150, long_side_px_max=240)


class Stopped(Exception):
    """The run was interrupted."""


@pytest.fixture
def photos(shelves):
    return read_sources([str(shelves / "labels.json")], split="train").photos


def seeded_network():
    torch.manual_seed(0)
    return build_network()


def run(photos, folder, *, iterations, stop_after=None, **settings):
    steps = []
    folder.mkdir(exist_ok=True)

    def report(step):
        steps.append(step)
        if step.iteration == stop_after:
            raise Stopped

    plan = TrainingPlan(
        iterations=iterations, batch_size=2, threads=1, warm_up_iterations=2, **settings
    )
    averaged = train(
        seeded_network(),
        photos,
        plan=plan,
        variation=SMALL,
        run_dir=folder,
        report=report,
        snapshot=lambda _: None,
    )
    return steps, averaged


def test_a_batch_seen_again_and_again_is_learned(photos):
    plan = TrainingPlan(
        iterations=1000,
        batch_size=2,
        threads=1,
        rate=2e-3,
        head_rate=4e-3,
        warm_up_iterations=3,
    )
    trainer = Trainer(seeded_network(), plan)
    batch = make_batch(
        decode_photos(photos),
        batch_size=2,
        variation=Variation(crop_px=128, long_side_px_min=200, long_side_px_max=240),
        generator=trainer.generator,
    )
    losses = [sum(trainer.step(batch).values()) for _ in range(16)]
    assert min(losses[-3:]) < 0.5 * losses[0]


def test_steps_are_counted_to_the_end(photos, tmp_path):
    steps, _ = run(photos, tmp_path / "run", iterations=3)
    assert [step.iteration for step in steps] == [1, 2, 3]
    assert steps[-1].done_share == 1
    assert all(step.loss == step.box_loss + step.class_loss + step.distance_loss for step in steps)


def test_a_stopped_run_goes_on_to_the_same_weights(photos, tmp_path):
    _, straight = run(photos, tmp_path / "straight", iterations=5)
    with pytest.raises(Stopped):
        # A checkpoint after each step; the one after step 2 is not yet written when it stops.
        run(photos, tmp_path / "stopped", iterations=5, stop_after=3, checkpoint_s=0)
    steps, continued = run(photos, tmp_path / "stopped", iterations=5)
    assert [step.iteration for step in steps] == [3, 4, 5]
    for name, tensor in straight.state_dict().items():
        torch.testing.assert_close(continued.state_dict()[name], tensor)


def test_a_finished_run_is_not_trained_further(photos, tmp_path):
    _, first = run(photos, tmp_path / "run", iterations=2)
    steps, again = run(photos, tmp_path / "run", iterations=2)
    assert steps == []
    torch.testing.assert_close(again.state_dict(), first.state_dict())


def test_a_plan_in_minutes_ends_by_the_clock(photos, tmp_path):
    ticks = iter(range(0, 10_000, 20))
    steps = []
    train(
        seeded_network(),
        photos,
        plan=TrainingPlan(minutes=1, batch_size=1, threads=1),
        variation=SMALL,
        run_dir=tmp_path,
        report=steps.append,
        snapshot=lambda _: None,
        clock=lambda: next(ticks),
    )
    assert [step.elapsed_s for step in steps] == [20, 40, 60]


def test_snapshots_are_taken_as_often_as_planned(photos, tmp_path):
    taken = []
    train(
        seeded_network(),
        photos,
        plan=TrainingPlan(iterations=3, batch_size=1, threads=1, snapshot_s=0),
        variation=SMALL,
        run_dir=tmp_path,
        report=lambda _: None,
        snapshot=taken.append,
    )
    assert len(taken) == 3
    assert not taken[0].training


def test_untaught_places_cost_nothing(photos):
    trainer = Trainer(seeded_network(), TrainingPlan(iterations=9, batch_size=2, threads=1))
    batch = make_batch(
        decode_photos(photos), batch_size=2, variation=SMALL, generator=trainer.generator
    )
    batch.untaught[:] = True
    empty = type(batch)(batch.pictures, batch.facings[:0], batch.untaught, {})
    assert trainer.step(empty)["cls_loss"] < 1e-3
    empty.untaught[:] = False
    assert trainer.step(empty)["cls_loss"] > 1e-2


def test_a_checkpoint_of_other_making_is_refused(photos, tmp_path):
    run(photos, tmp_path / "run", iterations=1)
    other = TrainingPlan(iterations=1, batch_size=3, threads=1)
    with pytest.raises(CheckpointUnfit, match="batch size 2"):
        Trainer(seeded_network(), other).restore(tmp_path / "run" / CHECKPOINT_NAME)
    (tmp_path / "run" / CHECKPOINT_NAME).write_bytes(b"cut")
    with pytest.raises(CheckpointUnfit, match="new run"):
        run(photos, tmp_path / "run", iterations=1)
