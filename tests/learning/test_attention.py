"""The block of attention against the same in plain sums, rotary positions, and tokens that are not there."""

import math

import pytest
import torch

from paperlib.learning.attention import AttentionBlock, check_attention, rotary_table, turned


def _random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_products_of_turned_numbers_depend_on_the_distance_alone():
    q, k, table = _random(8), _random(8, seed=1), rotary_table(30, 8)
    queries, keys = (turned(v.expand(1, 1, 30, 8), table)[0, 0] for v in (q, k))
    products = queries @ keys.T
    for distance in (-7, 0, 3, 20):
        same = products.diagonal(distance)
        assert torch.allclose(same, same[:1].expand_as(same), atol=1e-4)
    assert products[0, 0].item() == pytest.approx((q @ k).item(), abs=1e-5)
    assert not torch.allclose(products[0, 3], products[0, 0], atol=1e-2)
    assert torch.allclose(queries.norm(dim=1), q.norm().expand(30), atol=1e-5)


def test_the_first_pair_turns_by_one_radian_a_token():
    x = torch.tensor([1.0, 0.0]).expand(1, 1, 5, 2)
    angles = torch.arange(5.0)
    assert torch.allclose(turned(x, rotary_table(5, 2))[0, 0], torch.stack([angles.cos(), angles.sin()], 1), atol=1e-6)


def test_the_block_in_plain_sums():
    block, x = AttentionBlock(8, 2, 2, 0.0).eval(), _random(1, 5, 8)
    with torch.no_grad():
        q, k, v = block.qkv(block.norm1(x))[0].split(8, dim=1)
        heads = []
        for part in (slice(0, 4), slice(4, 8)):
            weights = (q[:, part] @ k[:, part].T / math.sqrt(4)).softmax(1)
            heads.append(weights @ v[:, part])
        y = x[0] + block.out(torch.cat(heads, 1))
        assert torch.allclose(block(x)[0], y + block.feed(block.norm2(y)), atol=1e-5)


def test_absent_tokens_change_nothing():
    block, x = AttentionBlock(8, 2, 2, 0.0).eval(), _random(2, 6, 8)
    present = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    other = x.clone()
    other[0, 4:] = 100.0
    with torch.no_grad():
        assert torch.allclose(block(x, present=present)[0, :4], block(x[:1, :4])[0], atol=1e-5)
        assert torch.equal(block(x, present=present)[0, :4], block(other, present=present)[0, :4])
        assert torch.allclose(block(x, present=present)[1], block(x)[1], atol=1e-5)


def test_widths_that_heads_cannot_share():
    check_attention(12, 2, rotary=True)
    check_attention(15, 5, rotary=False)
    with pytest.raises(ValueError, match="share the width in parts: width=16, heads=3"):
        check_attention(16, 3, rotary=False)
    with pytest.raises(ValueError, match="share the width in even parts: width=15, heads=5"):
        check_attention(15, 5, rotary=True)
