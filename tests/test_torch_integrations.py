"""Libraries that drive an optimizer: a run that is resumed equals the one that was not interrupted.

Each library is asked for where its test begins, and the test is skipped where it is missing.
"""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn
from torch_networks import network, same, train

import adam_edu.torch as ours

pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries


def batches(count, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(16, 8, generator=generator, dtype=dtype) for _ in range(count)]


def loss_of(model, x):
    return nn.functional.cross_entropy(model(x), (x[:, :3]).argmax(1))


# What comes with Torch


@pytest.mark.parametrize("ema", [False, True])
def test_averaged_models(ema):
    results = []
    for module in (ours, torch.optim):
        model = network()
        how = {"multi_avg_fn": get_ema_multi_avg_fn(0.9)} if ema else {}
        average = AveragedModel(model, **how)
        made = module.Adam(model.parameters(), lr=1e-2)
        schedule = SWALR(made, swa_lr=1e-3, anneal_epochs=3)
        for x in batches(8):
            made.zero_grad()
            loss_of(model, x).backward()
            made.step()
            average.update_parameters(model)
            schedule.step()
        update_bn(batches(2), average)
        results.append(average)
    same(*results, 1e-12)
    assert not torch.equal(results[0].module[0].weight, model[0].weight)


def test_distributed_checkpoints(tmp_path):
    dcp = pytest.importorskip("torch.distributed.checkpoint")
    from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

    half = network()
    first = ours.AdamW(half.parameters(), weight_decay=0.1)
    train(half, first, 3)
    model_state, state = get_state_dict(half, first)
    assert any(name.endswith("exp_avg") for name in map(str, state["state"]["0.weight"]))
    dcp.save({"model": model_state, "optimizer": state}, checkpoint_id=tmp_path, no_dist=True)
    resumed = network(seed=9)
    second = ours.AdamW(resumed.parameters(), weight_decay=0.1)
    model_state, state = get_state_dict(resumed, second)
    saved = {"model": model_state, "optimizer": state}
    dcp.load(saved, checkpoint_id=tmp_path, no_dist=True)
    set_state_dict(
        resumed, second, model_state_dict=saved["model"], optim_state_dict=saved["optimizer"]
    )
    same(half, resumed, 0.0)
    for p, q in zip(half.parameters(), resumed.parameters(), strict=True):
        assert int(second.state[q]["step"]) == int(first.state[p]["step"]) == 3
        assert torch.equal(second.state[q]["exp_avg"], first.state[p]["exp_avg"])
    train(half, first, 3)
    train(resumed, second, 3)
    same(half, resumed, 0.0)


# Libraries of others


def test_accelerate(tmp_path):
    accelerate = pytest.importorskip("accelerate")
    results = []
    for parts in ([slice(0, 6)], [slice(0, 3), slice(3, 6)]):
        for k, steps in enumerate(parts):
            accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
            accelerator = accelerate.Accelerator(cpu=True)
            model = network(torch.float32, seed=k)
            made = ours.Adam(model.parameters(), lr=1e-2)
            prepared = accelerator.prepare(model, made)
            if k:
                accelerator.load_state(str(tmp_path))
            for x in batches(6, torch.float32)[steps]:
                prepared[1].zero_grad()
                accelerator.backward(loss_of(prepared[0], x))
                prepared[1].step()
            if len(parts) > 1 and k == 0:
                accelerator.save_state(str(tmp_path))
        results.append(model)
    same(*results, 0.0)


def test_transformers_trainer(tmp_path):
    transformers = pytest.importorskip("transformers")

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = network(torch.float32)

        def forward(self, x, labels=None):
            logits = self.model(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    xs = torch.cat(batches(2, torch.float32))
    data = [{"x": x, "labels": x[:3].argmax()} for x in xs]

    def trainer(folder):
        model = Wrapped()
        made = ours.AdamW(model.parameters(), lr=1e-2)
        schedule = torch.optim.lr_scheduler.LinearLR(made, 1.0, 0.1, 8)
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path / folder), max_steps=8, save_steps=4, report_to=[],
            per_device_train_batch_size=8, use_cpu=True, seed=3, disable_tqdm=True,
        )  # fmt: skip
        both = made, schedule
        return transformers.Trainer(model, arguments, train_dataset=data, optimizers=both)

    whole = trainer("whole")
    whole.train()
    resumed = trainer("resumed")
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-4"))
    same(whole.model, resumed.model, 0.0)


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning")

    class Lit(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = network(torch.float32)

        def training_step(self, x, number):
            return loss_of(self.model, x)

        def configure_optimizers(self):
            made = ours.NAdam(self.model.parameters(), lr=1e-2)
            return [made], [torch.optim.lr_scheduler.StepLR(made, 1, 0.5)]

    def fit(epochs, module, path=None):
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        loader = torch.utils.data.DataLoader(batches(4, torch.float32), batch_size=None)
        trainer.fit(module, loader, ckpt_path=path)
        return trainer

    whole, half, resumed = Lit(), Lit(), Lit()
    fit(2, whole)
    path = str(tmp_path / "half.ckpt")
    fit(1, half).save_checkpoint(path)
    fit(2, resumed, path)
    same(whole, resumed, 0.0)
    assert not torch.equal(half.model[0].weight, whole.model[0].weight)
