"""Triton kernels of `node_sum`; README.md derives what they compute.

Words used below. A group's block of an input has M = B * H * W positions in each of C channels;
`shape` is (M, C, H * W). A program works on a tile of BLOCK_C channels x BLOCK_J positions of one
group. Where a reduction over the M positions would leave the GPU idle, SPLITS programs share it;
each writes a partial result, and whoever needs the result merges them, which saves a launch.

Per-input arguments are tuples of pointers, with None where an input has no such tensor:
`parameters` is (scales, shifts, means, variances), K entries each. Both are compile-time facts,
so one program handles any mixture of inputs without testing at run time, and no pointer table has
to be copied to the GPU. BATCH is a bit mask of the inputs that use batch statistics. ACC is the
type of all arithmetic.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _channels(BLOCK_C: tl.constexpr):
    """Channel numbers of this program, (BLOCK_C,); some may be beyond the last channel."""
    return tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)


@triton.jit
def _place(block, c, shape, LAST: tl.constexpr, BLOCK_J: tl.constexpr):
    """Mask and memory offsets, (BLOCK_C, BLOCK_J), of one tile of this program's group.

    `block` counts tiles along the positions; LAST says that the channels are innermost.
    """
    M, C, HW = shape
    j = block * BLOCK_J + tl.arange(0, BLOCK_J)
    position = tl.program_id(2) * M + j
    if LAST:
        at = position[None, :] * C + c[:, None]
    else:
        at = ((position // HW) * (C * HW) + position % HW)[None, :] + (c * HW)[:, None]
    return (c < C)[:, None] & (j < M)[None, :], at


@triton.jit
def _per_channel(values, c, C, ACC: tl.constexpr):
    """`values[c]` in ACC, 0 beyond the last channel."""
    return tl.load(values + c, mask=c < C, other=0.0).to(ACC)


@triton.jit
def _slope(scale, weights, k, c, C, ACC: tl.constexpr):
    """gamma * w of input k, (BLOCK_C,)."""
    slope = tl.full((c.shape[0],), 1.0, ACC)
    if scale is not None:
        slope *= _per_channel(scale, c, C, ACC)
    if weights is not None:
        slope *= tl.load(weights + k).to(ACC)
    return slope


@triton.jit
def _partials(values, row, c, C, SPLITS: tl.constexpr):
    """The SPLITS partial results of one row, (BLOCK_C, SPLITS)."""
    at = (row * SPLITS + tl.arange(0, SPLITS))[None, :] * C + c[:, None]
    return tl.load(values + at, mask=(c < C)[:, None] & (at >= 0), other=0.0)


@triton.jit
def _merged_statistics(partial, row, rows, c, shape, SPAN: tl.constexpr, SPLITS: tl.constexpr):
    """(mean, biased variance), (BLOCK_C,) each, from SPLITS partial ones (Chan et al., 1983)."""
    M, C, _ = shape
    means = _partials(partial, row, c, C, SPLITS)
    spreads = _partials(partial, rows + row, c, C, SPLITS)
    held = tl.minimum(tl.maximum(M - tl.arange(0, SPLITS) * SPAN, 0), SPAN).to(means.dtype)
    mean = tl.sum(held[None, :] * means, axis=1) / M
    away = means - mean[:, None]
    return mean, tl.sum(spreads + held[None, :] * away * away, axis=1) / M


@triton.jit
def _moments(
    statistics, row, rows, given, c, C, BATCH: tl.constexpr, EPS: tl.constexpr, ACC: tl.constexpr
):
    """(mean, 1 / deviation) of one input in one group, (BLOCK_C,) each; (0, 1) for a plain one."""
    mean, variance = given
    if BATCH:
        centre = _per_channel(statistics + row * C, c, C, ACC)
        inverse = tl.rsqrt(_per_channel(statistics + (rows + row) * C, c, C, ACC) + EPS)
    elif mean is not None:
        centre = _per_channel(mean, c, C, ACC)
        inverse = tl.rsqrt(_per_channel(variance, c, C, ACC) + EPS)
    else:
        centre = tl.zeros((c.shape[0],), ACC)
        inverse = tl.full((c.shape[0],), 1.0, ACC)
    return centre, inverse


@triton.jit
def partial_statistics(
    xs,
    partial,  # (2, K, G, SPLITS, C): means, then sums of squared differences from them
    shape,
    K: tl.constexpr,
    BATCH: tl.constexpr,
    TILES: tl.constexpr,  # tiles of BLOCK_J positions in each split
    SPLITS: tl.constexpr,
    LAST: tl.constexpr,
    ACC: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_J: tl.constexpr,
):
    """Mean and spread of each split, in one read; grid (SPLITS, channel blocks, groups).

    Every lane keeps a running mean and spread (Welford, 1962), and the lanes are merged at the
    end: a plain sum of squares would lose the variance where the mean is large.
    """
    split, g, groups = tl.program_id(0), tl.program_id(2), tl.num_programs(2)
    c, C = _channels(BLOCK_C), shape[1]
    for k in tl.static_range(K):
        if (BATCH >> k) & 1:
            count = tl.zeros((BLOCK_C, BLOCK_J), ACC)
            mean = tl.zeros((BLOCK_C, BLOCK_J), ACC)
            spread = tl.zeros((BLOCK_C, BLOCK_J), ACC)
            for tile in range(TILES):
                valid, at = _place(split * TILES + tile, c, shape, LAST, BLOCK_J)
                x = tl.load(xs[k] + at, mask=valid, other=0.0).to(ACC)
                count += valid.to(ACC)
                away = tl.where(valid, x - mean, 0.0)
                mean += away / tl.maximum(count, 1.0)
                spread += away * (x - mean)
            held = tl.maximum(tl.sum(count, axis=1), 1.0)
            centre = tl.sum(count * mean, axis=1) / held
            away = mean - centre[:, None]
            spread += count * away * away
            target = ((k * groups + g) * SPLITS + split) * C + c
            tl.store(partial + target, centre, mask=c < C)
            target += K * groups * SPLITS * C
            tl.store(partial + target, tl.sum(spread, axis=1), mask=c < C)


@triton.jit
def weighted_sum(
    xs,
    parameters,
    weights,
    partial,
    statistics,  # (2, K, G, C): merged means and variances, written for the backward pass
    y,
    shape,
    K: tl.constexpr,
    BATCH: tl.constexpr,
    ADD: tl.constexpr,  # whether y already holds the sum of earlier inputs
    EPS: tl.constexpr,
    TILES: tl.constexpr,
    SPLITS: tl.constexpr,
    LAST: tl.constexpr,
    ACC: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_J: tl.constexpr,
):
    """y from all K inputs in one pass; grid (position blocks, channel blocks, groups)."""
    scales, shifts, means, variances = parameters
    C, g, groups = shape[1], tl.program_id(2), tl.num_programs(2)
    c = _channels(BLOCK_C)
    valid, at = _place(tl.program_id(0), c, shape, LAST, BLOCK_J)
    total = tl.zeros((BLOCK_C, BLOCK_J), ACC)
    SPAN: tl.constexpr = TILES * BLOCK_J
    if ADD:
        total += tl.load(y + at, mask=valid, other=0.0).to(ACC)
    for k in tl.static_range(K):
        slope = _slope(scales[k], weights, k, c, C, ACC)
        x = tl.load(xs[k] + at, mask=valid, other=0.0).to(ACC)
        if ((BATCH >> k) & 1) or means[k] is not None:
            if (BATCH >> k) & 1:
                row = k * groups + g
                mean, var = _merged_statistics(partial, row, K * groups, c, shape, SPAN, SPLITS)
                if tl.program_id(0) == 0:
                    tl.store(statistics + row * C + c, mean, mask=c < C)
                    tl.store(statistics + (K * groups + row) * C + c, var, mask=c < C)
            else:
                mean = _per_channel(means[k], c, C, ACC)
                var = _per_channel(variances[k], c, C, ACC)
            x -= mean[:, None]
            slope *= tl.rsqrt(var + EPS)
        total += x * slope[:, None]
        if shifts[k] is not None:
            total += (_slope(shifts[k], weights, k, c, C, ACC))[:, None]
    tl.store(y + at, total.to(y.dtype.element_ty), mask=valid)


@triton.jit
def partial_gradient_sums(
    dy,
    xs,
    parameters,
    statistics,
    sums,  # (K + 1, G, SPLITS, C): sums of dy * xhat_k, then of dy
    shape,
    K: tl.constexpr,
    BATCH: tl.constexpr,
    WANTED: tl.constexpr,  # bit mask of the rows of `sums` that somebody needs
    EPS: tl.constexpr,
    TILES: tl.constexpr,
    SPLITS: tl.constexpr,
    LAST: tl.constexpr,
    ACC: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_J: tl.constexpr,
):
    """Sums over each split's positions; grid (SPLITS, channel blocks, groups).

    xhat_k is x_k itself for an input that is not normalised. dy is read again for every k, from
    the second time on out of the cache, because a split is small.
    """
    _, _, means, variances = parameters
    split, g, groups = tl.program_id(0), tl.program_id(2), tl.num_programs(2)
    c, C = _channels(BLOCK_C), shape[1]
    for k in tl.static_range(K + 1):
        if (WANTED >> k) & 1:
            row = k * groups + g
            total = tl.zeros((BLOCK_C, BLOCK_J), ACC)
            if k < K:
                given, batch = (means[k], variances[k]), (BATCH >> k) & 1
                mean, inverse = _moments(statistics, row, K * groups, given, c, C, batch, EPS, ACC)
            else:
                inverse = tl.full((BLOCK_C,), 1.0, ACC)
            for tile in range(TILES):
                valid, at = _place(split * TILES + tile, c, shape, LAST, BLOCK_J)
                term = tl.load(dy + at, mask=valid, other=0.0).to(ACC)
                if k < K:
                    x = tl.load(xs[k] + at, mask=valid, other=0.0).to(ACC)
                    term *= x - mean[:, None]
                total += term
            target = (row * SPLITS + split) * C + c
            tl.store(sums + target, tl.sum(total, axis=1) * inverse, mask=c < C)


@triton.jit
def input_gradients(
    dy,
    xs,
    dxs,  # None for inputs whose gradient nobody needs, or is dy itself
    parameters,
    weights,
    statistics,
    sums,
    shape,
    K: tl.constexpr,
    BATCH: tl.constexpr,
    EPS: tl.constexpr,
    SPLITS: tl.constexpr,
    LAST: tl.constexpr,
    ACC: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_J: tl.constexpr,
):
    """Every wanted dx_k in one pass; grid (position blocks, channel blocks, groups)."""
    scales, _, means, variances = parameters
    M, C, _ = shape
    g, groups = tl.program_id(2), tl.num_programs(2)
    c = _channels(BLOCK_C)
    valid, at = _place(tl.program_id(0), c, shape, LAST, BLOCK_J)
    upstream = tl.load(dy + at, mask=valid, other=0.0).to(ACC)
    for k in tl.static_range(K):
        if dxs[k] is not None:
            row = k * groups + g
            given, batch = (means[k], variances[k]), (BATCH >> k) & 1
            mean, inverse = _moments(statistics, row, K * groups, given, c, C, batch, EPS, ACC)
            grad = upstream
            if (BATCH >> k) & 1:
                dy_mean = tl.sum(_partials(sums, K * groups + g, c, C, SPLITS), axis=1) / M
                tilt = tl.sum(_partials(sums, row, c, C, SPLITS), axis=1) / M * inverse
                x = tl.load(xs[k] + at, mask=valid, other=0.0).to(ACC)
                grad = grad - dy_mean[:, None] - (x - mean[:, None]) * tilt[:, None]
            slope = inverse * _slope(scales[k], weights, k, c, C, ACC)
            grad = grad * slope[:, None]
            tl.store(dxs[k] + at, grad.to(dxs[k].dtype.element_ty), mask=valid)


@triton.jit
def _row_sum(sums, k, size, c, BLOCKS: tl.constexpr, BLOCK_R: tl.constexpr):
    """Row k of `sums`, (BLOCK_C,), added up over its R = G * SPLITS parts; size is (R, C)."""
    R, C = size
    total = tl.zeros((c.shape[0],), sums.dtype.element_ty)
    for block in range(BLOCKS):
        r = block * BLOCK_R + tl.arange(0, BLOCK_R)
        valid = (r < R)[:, None] & (c < C)[None, :]
        part = tl.load(sums + (k * R + r)[:, None] * C + c[None, :], mask=valid, other=0.0)
        total += tl.sum(part, axis=0)
    return total


@triton.jit
def parameter_gradients(
    sums,
    parameters,
    weights,
    outputs,  # (dscales (K, C), dshifts (K, C), dweights (K,) or None)
    size,  # (R, C)
    K: tl.constexpr,
    NORMALISED: tl.constexpr,  # bit mask
    WANTED: tl.constexpr,  # bit mask of the inputs whose parameters or weight need a gradient
    ACC: tl.constexpr,
    BLOCKS_R: tl.constexpr,
    BLOCKS_C: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Gradients of gammas, betas and weights from the sums; grid (K,), program k for input k."""
    scales, shifts, _, _ = parameters
    dscales, dshifts, dweights = outputs
    C = size[1]
    for k in tl.static_range(K):
        if (WANTED >> k) & 1 and tl.program_id(0) == k:
            dweight = tl.zeros((BLOCK_C,), ACC)
            for block in range(BLOCKS_C):
                c = block * BLOCK_C + tl.arange(0, BLOCK_C)
                slope = _row_sum(sums, k, size, c, BLOCKS_R, BLOCK_R)
                if (NORMALISED >> k) & 1:
                    level = _row_sum(sums, K, size, c, BLOCKS_R, BLOCK_R)
                    weight = _slope(None, weights, k, c, C, ACC)
                    tl.store(dscales + k * C + c, slope * weight, mask=c < C)
                    tl.store(dshifts + k * C + c, level * weight, mask=c < C)
                    slope *= _slope(scales[k], None, k, c, C, ACC)
                    if shifts[k] is not None:
                        slope += level * _per_channel(shifts[k], c, C, ACC)
                dweight += slope
            if dweights is not None:
                tl.store(dweights + k, tl.sum(dweight, axis=0))


INTERPRETED = not isinstance(weighted_sum, triton.JITFunction)
