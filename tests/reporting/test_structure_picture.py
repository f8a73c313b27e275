"""Pictures of structures: the geometry of rock salt, known by hand."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle

from paperlib.reporting import style
from paperlib.reporting.structure_picture import BALL, bonds, draw_structure, lattice_vectors, with_faces

FACE_CENTRED = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SALT = np.vstack([FACE_CENTRED, (FACE_CENTRED + 0.5) % 1])


def test_lattice_vectors_have_the_lengths_and_angles_of_the_cell():
    cell = np.array([5.1, 6.3, 7.7, 81.0, 96.0, 103.0])
    vectors = lattice_vectors(cell)
    lengths = np.linalg.norm(vectors, axis=1)
    a, b, c = vectors / lengths[:, None]
    np.testing.assert_allclose(lengths, cell[:3])
    np.testing.assert_allclose(np.degrees(np.arccos([b @ c, a @ c, a @ b])), cell[3:])
    assert np.linalg.det(vectors) > 0


def test_atoms_on_faces_edges_and_corners_are_repeated():
    points, atom = with_faces(SALT)
    # 8 corners and 6 faces of one kind; 12 edges and the centre of the other
    assert len(points) == 27 and np.sum(atom < 4) == 14
    assert len({tuple(point) for point in points.tolist()}) == 27
    assert len(with_faces(np.array([[0.9999, 0.5, 0.25]]))[0]) == 2, "a rounded zero is a zero"
    assert len(with_faces(np.array([[0.3, 0.5, -0.25]]))[0]) == 1


def test_bonds_of_rock_salt_join_neighbours_only():
    points, atom = with_faces(SALT)
    radii = np.where(atom < 4, 1.66, 1.02)
    # the sum of the radii is 2.68 Å; neighbours are 2.82 Å apart, like atoms 3.99 Å
    joined = bonds(points * 5.64, radii)
    like = (atom[joined[:, 0]] < 4) == (atom[joined[:, 1]] < 4)
    apart = np.linalg.norm((points[joined[:, 0]] - points[joined[:, 1]]) * 5.64, axis=1)
    np.testing.assert_allclose(apart[~like], 2.82)
    # 27 points of a 3 x 3 x 3 grid have 54 edges; Na-Na at 3.99 Å stays above 1.12 times 3.32 Å
    assert len(joined) == 54 and not like.any()


def test_each_ball_is_drawn_with_its_radius_inside_the_axes():
    fig = style.figure("single", 2.0)
    ax = fig.subplots()
    elements = ["Na"] * 4 + ["Cl"] * 4
    radii = np.repeat([1.66, 1.02], 4)
    colours = draw_structure(ax, np.array([5.64] * 3 + [90.0] * 3), SALT, elements, radii)
    FigureCanvasAgg(fig).draw()
    assert list(colours) == ["Na", "Cl"] and len(set(colours.values())) == 2
    drawn = [patch.radius for patch in ax.patches if isinstance(patch, Circle) and patch.get_linewidth() > 0]
    assert sorted(drawn) == sorted([BALL * 1.66] * 14 + [BALL * 1.02] * 13)
    assert all(ax.bbox.contains(*ax.transData.transform(patch.center)) for patch in ax.patches)
