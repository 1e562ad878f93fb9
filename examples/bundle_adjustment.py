"""Bundle adjustment: the errors of a camera's picture of points, and their Jacobian, as in ADBench.

    python -m examples.bundle_adjustment [FILE]

A camera has a rotation r, a centre c, a focal length f, a principal point (x0, y0) and radial
distortions k1, k2.  An observation says that a camera saw a point at z, and has a weight w.
"""

from __future__ import annotations

import sys
from pathlib import Path
from timeit import repeat
from typing import Any

import numpy as np

import autodiff_compiler as ac

DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "adbench"

CAMERA = "r1 r2 r3 c1 c2 c3 f x0 y0 k1 k2"
UNKNOWNS = f"{CAMERA} X1 X2 X3 w"

PICTURE = """
# Rodrigues' rotation of the point, seen from the camera's centre; at theta = 0 it is none
u1 = X1 - c1; u2 = X2 - c2; u3 = X3 - c3
theta = sqrt(r1**2 + r2**2 + r3**2)
a = sin(theta)/theta
b = (sin(theta/2)/(theta/2))**2/2*(r1*u1 + r2*u2 + r3*u3)
p1 = u1*cos(theta) + (r2*u3 - r3*u2)*a + r1*b
p2 = u2*cos(theta) + (r3*u1 - r1*u3)*a + r2*b
p3 = u3*cos(theta) + (r1*u2 - r2*u1)*a + r3*b

# Projection and radial distortion
d1 = p1/p3; d2 = p2/p3
s = d1**2 + d2**2
L = 1 + k1*s + k2*s**2
e1 = w*(d1*L*f + x0 - z1); e2 = w*(d2*L*f + y0 - z2)
"""

# One observation, in numbers.  Called with arrays, it is evaluated for each element: the Jacobian
# of every observation, two rows of 15, without the zeros of the whole Jacobian.
BLOCK = f"{PICTURE}[e1, e2]"

# All observations: observation n is of point[n] by camera[n].  Half the sum of their squares.
LOSS = f"""
cameras: [C, 11]; points: [M, 3]; w: [N]; z: [N, 2]; camera: [N]; point: [N]
of = cameras.T[:, camera]; at = points.T[:, point]
{"; ".join(f"{name} = of[{k}]" for k, name in enumerate(CAMERA.split()))}
X1 = at[0]; X2 = at[1]; X3 = at[2]; z1 = z[:, 0]; z2 = z[:, 1]
{PICTURE}
(e1 @ e1 + e2 @ e2)/2
"""


def block() -> ac.Function:
    """The two errors of an observation, with a Jacobian of one column for each unknown."""
    return ac.compile(BLOCK, inputs=f"{UNKNOWNS} z1 z2", wrt=UNKNOWNS)


def loss() -> ac.Function:
    """Half the sum of squares of all errors."""
    return ac.compile(LOSS, inputs="cameras points w z camera point", wrt="cameras points w")


def load(path: Path) -> tuple[Any, ...]:
    """An instance: cameras (C, 11), points (M, 3), w (N,), z (N, 2), camera (N,), point (N,).

    The file has one camera, one point and one observation, of which all are copies.
    """
    words = path.read_text().split()
    cameras, points, count = map(int, words[:3])
    camera, point, w, z = np.split(np.array(words[3:], float), [11, 14, 15])
    n = np.arange(count)
    copies = [np.tile(camera, (cameras, 1)), np.tile(point, (points, 1)), np.tile(w, count)]
    return *copies, np.tile(z, (count, 1)), n % cameras, n % points


def columns(cameras: Any, points: Any, w: Any, z: Any, camera: Any, point: Any) -> list[Any]:
    """The arguments of `block` for all observations, each of shape (N,)."""
    return [*cameras.T.take(camera, axis=1), *points.T.take(point, axis=1), w, *z.T.copy()]


def main(path: Path) -> None:
    """Print the loss, the size of the Jacobian's blocks, and how long they take."""
    fn, instance = block(), load(path)
    arguments = columns(*instance)
    jacobian = np.stack(fn.jacobian(*arguments), axis=-1).swapaxes(0, 1)
    print(f"loss           {loss()(*instance):.12g}")
    print(f"blocks         {jacobian.shape}, |J| = {np.linalg.norm(jacobian):.12g}")
    for kind in ("value", "jacobian"):
        member = getattr(fn, kind)
        seconds = min(repeat(lambda member=member: member(*arguments), number=1, repeat=20))
        print(f"{kind + ':':<14} {1e6 * seconds / len(arguments[0]):.3f} µs per observation")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "ba" / "test.txt")
