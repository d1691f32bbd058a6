"""Matrix products inside compiled loops, by the BLAS that scipy brings.

`numba_xxgemm` is what numba's own np.dot calls. It is called directly because np.dot needs arrays in two dimensions,
whose making takes longer to compile than all the rest of a training step.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numpy.typing import NDArray

from engine.learn.kernels.loops.jit import part

Vector = NDArray[Any]

_AS_IT_IS, _TURNED = ord("n"), ord("t")
_SINGLE, _DOUBLE = ord("s"), ord("d")
_letter, _size, _address = types.int8, types.intp, types.voidptr
_gemm: Any = types.ExternalFunction(
    "numba_xxgemm",
    types.int32(
        _letter,
        _letter,
        _letter,
        _size,
        _size,
        _size,
        _address,
        _address,
        _size,
        _address,
        _size,
        _address,
        _address,
        _size,
    ),
)  # BLAS's gemm: kind, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc

# Matrices are vectors, row after row, which begin at the first element of what is given. BLAS counts column after
# column: what it is told is the transposed product. Products with a single column are loops, three times as fast.


@part
def product(a: Vector, b: Vector, out: Vector, m: int, k: int, n: int, one_zero: Vector) -> None:
    """out [m, n] = a [m, k] @ b [k, n]; one_zero is [1, 0]."""
    if n == 1:
        for i in range(m):
            total, row = one_zero[1], a[i * k : i * k + k]
            for j in range(k):
                total += row[j] * b[j]
            out[i] = total
        return
    kind = _SINGLE if out.itemsize == 4 else _DOUBLE
    one, zero = one_zero.ctypes, one_zero[1:].ctypes
    _gemm(kind, _AS_IT_IS, _AS_IT_IS, n, m, k, one, b.ctypes, n, a.ctypes, k, zero, out.ctypes, n)


@part
def add_product_of_turned(a: Vector, b: Vector, out: Vector, m: int, k: int, n: int, one_zero: Vector) -> None:
    """out [k, n] += a' @ b, with a [m, k] and b [m, n]."""
    if n == 1:
        for i in range(m):
            row = a[i * k : i * k + k]
            for j in range(k):
                out[j] += row[j] * b[i]
        return
    kind = _SINGLE if out.itemsize == 4 else _DOUBLE
    one = one_zero.ctypes
    _gemm(kind, _AS_IT_IS, _TURNED, n, k, m, one, b.ctypes, n, a.ctypes, k, one, out.ctypes, n)


@part
def product_with_turned(a: Vector, b: Vector, out: Vector, m: int, k: int, n: int, one_zero: Vector) -> None:
    """out [m, k] = a @ b', with a [m, n] and b [k, n]."""
    if n == 1:
        for i in range(m):
            row = out[i * k : i * k + k]
            for j in range(k):
                row[j] = a[i] * b[j]
        return
    kind = _SINGLE if out.itemsize == 4 else _DOUBLE
    one, zero = one_zero.ctypes, one_zero[1:].ctypes
    _gemm(kind, _TURNED, _AS_IT_IS, k, m, n, one, b.ctypes, n, a.ctypes, n, zero, out.ctypes, k)
