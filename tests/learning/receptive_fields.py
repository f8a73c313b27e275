"""What ``resolution()`` says, held against the maps of the stages and their gradients."""

import torch


def assert_fields(model, fields=True):
    """The stages of a model have as many positions as ``resolution()`` says; with ``fields``, the middle one of each
    depends on the points that it says, and on no others."""
    n_points, found = model.n_points, {}
    model.eval()
    for name, stage in model.stages.named_children():
        stage.register_forward_hook(lambda _m, _i, out, name=name: found.__setitem__(name, out.flatten(2)))
    table = model.resolution()
    model(torch.rand(1, n_points))
    assert {name: r.n_positions for name, r in table.items()} == {name: x.shape[-1] for name, x in found.items()}
    for name, resolution in table.items() if fields else ():
        middle = resolution.n_positions // 2
        # An activation hides what is below zero: one pattern shows only part of the field.
        touched = torch.zeros(n_points, dtype=torch.bool)
        for seed in range(20):
            x = torch.rand(1, n_points, generator=torch.Generator().manual_seed(seed)).requires_grad_()
            model(x)
            touched |= torch.autograd.grad(found[name][0, :, middle].square().sum(), x)[0][0] != 0
        first, last = touched.nonzero()[[0, -1], 0].tolist()
        assert last - first + 1 == resolution.receptive_field, name
        if resolution.receptive_field < n_points:
            assert (first + last) / 2 == resolution.first_centre + middle * resolution.span, name
